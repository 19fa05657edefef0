"""RESIZE_BILINEAR."""

from __future__ import annotations

import numpy as np

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer

_TABLES = ("y_lo", "y_hi", "y_frac", "x_lo", "x_hi", "x_frac")


def bind(layer: Layer) -> list[KernelCall]:
    _, in_h, in_w, channels = layer.operands[0].shape
    _, out_h, out_w, _ = layer.result.shape
    tables = {
        name: layer.table(name, getattr(layer.form, name).astype(np.int16)) for name in _TABLES
    }
    fields: list[FieldLine] = [
        {"in_h": in_h, "in_w": in_w, "channels": channels},
        {"out_h": out_h, "out_w": out_w},
        *({name: symbol} for name, symbol in tables.items()),
    ]
    return [layer.call("resize_bilinear_s8", fields)]
