"""RESIZE_BILINEAR."""

from __future__ import annotations

import numpy as np

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.ir.integer import ResizeBilinearForm

_TABLES = ("y_lo", "y_hi", "y_frac", "x_lo", "x_hi", "x_frac")


def bind(layer: Layer) -> list[KernelCall]:
    _, in_h, in_w, channels = layer.operands[0].shape
    _, out_h, out_w, _ = layer.result.shape
    fields: list[FieldLine] = [
        {"in_h": in_h, "in_w": in_w, "channels": channels},
        {"out_h": out_h, "out_w": out_w},
        *axis_tables(layer, layer.form),
    ]
    return [layer.call("resize_bilinear_s8", fields)]


def axis_tables(layer: Layer, form: ResizeBilinearForm) -> list[FieldLine]:
    """Where each row and column of the result lies in the source."""
    return [{name: layer.table(name, getattr(form, name).astype(np.int16))} for name in _TABLES]
