"""RESIZE_NEAREST."""

from __future__ import annotations

import numpy as np

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.ir.ops.resize_nearest import source_indices


def bind(layer: Layer) -> list[KernelCall]:
    _, in_h, in_w, channels = layer.operands[0].shape
    _, out_h, out_w, _ = layer.result.shape
    rows = source_indices(layer.attrs, in_h, out_h).astype(np.int16)
    columns = source_indices(layer.attrs, in_w, out_w).astype(np.int16)
    fields: list[FieldLine] = [
        {"in_h": in_h, "in_w": in_w, "channels": channels},
        {"out_h": out_h, "out_w": out_w},
        {"source_y": layer.table("source_y", rows)},
        {"source_x": layer.table("source_x", columns)},
    ]
    return [layer.call("resize_nearest_s8", fields)]
