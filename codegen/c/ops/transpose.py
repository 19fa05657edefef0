"""TRANSPOSE."""

from __future__ import annotations

import math

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer, spread
from tinyflow.ir import as_nhwc


def bind(layer: Layer) -> list[KernelCall]:
    shape = layer.operands[0].shape
    steps = [math.prod(shape[axis + 1 :]) for axis in layer.attrs.perm]
    _, out_h, out_w, out_c = as_nhwc(layer.result.shape)
    step_y, step_x, step_c = spread(steps, 0)
    fields: list[FieldLine] = [
        {"out_h": out_h, "out_w": out_w, "out_c": out_c},
        {"step_y": step_y, "step_x": step_x, "step_c": step_c},
    ]
    return [layer.call("transpose_s8", fields)]
