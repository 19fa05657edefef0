"""ARGMAX."""

from __future__ import annotations

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.ir import DType, as_nhwc


def bind(layer: Layer) -> list[KernelCall]:
    _, height, width, channels = as_nhwc(layer.operands[0].shape)
    wide = layer.result.dtype is DType.INT16
    fields: list[FieldLine] = [
        {"height": height, "width": width, "channels": channels},
        {"wide": int(wide)},
    ]
    return [layer.call("argmax_s8", fields)]
