"""CONCAT: one call per operand that is not in its place already."""

from __future__ import annotations

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer, spread
from tinyflow.ir import as_nhwc


def bind(layer: Layer) -> list[KernelCall]:
    _, out_h, out_w, out_c = as_nhwc(layer.result.shape)
    calls = []
    start = begin = 0
    for i, operand in enumerate(layer.operands):
        _, in_h, in_w, in_c = as_nhwc(operand.shape)
        at = [0] * len(operand.shape)
        at[layer.attrs.axis] = start
        start += operand.shape[layer.attrs.axis]
        begin += operand.nbytes
        if layer.is_piece(i, begin - operand.nbytes):
            continue
        at_y, at_x, at_c = spread(at, 0)
        fields: list[FieldLine] = [
            {"in_h": in_h, "in_w": in_w, "in_c": in_c},
            {"out_h": out_h, "out_w": out_w, "out_c": out_c},
            {"at_y": at_y, "at_x": at_x, "at_c": at_c},
        ]
        calls.append(layer.call("concat_s8", fields, [layer.input_rows(i)]))
    return calls
