"""SLICE: nothing to do where the result is a piece of its operand's memory."""

from __future__ import annotations

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer, spread
from tinyflow.ir import as_nhwc


def bind(layer: Layer) -> list[KernelCall]:
    if layer.is_view:
        return []
    _, in_h, in_w, in_c = as_nhwc(layer.operands[0].shape)
    _, out_h, out_w, out_c = as_nhwc(layer.result.shape)
    begin_y, begin_x, begin_c = spread(layer.attrs.begin, 0)
    stride_y, stride_x, stride_c = spread(layer.attrs.strides, 1)
    fields: list[FieldLine] = [
        {"in_h": in_h, "in_w": in_w, "in_c": in_c},
        {"out_h": out_h, "out_w": out_w, "out_c": out_c},
        {"begin_y": begin_y, "begin_x": begin_x, "begin_c": begin_c},
        {"stride_y": stride_y, "stride_x": stride_x, "stride_c": stride_c},
    ]
    return [layer.call("slice_s8", fields)]
