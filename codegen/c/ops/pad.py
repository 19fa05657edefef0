"""PAD."""

from __future__ import annotations

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer, spread
from tinyflow.ir import as_nhwc


def bind(layer: Layer) -> list[KernelCall]:
    _, in_h, in_w, in_c = as_nhwc(layer.operands[0].shape)
    _, out_h, out_w, out_c = as_nhwc(layer.result.shape)
    at_y, at_x, at_c = spread([before for before, _ in layer.attrs.pads], 0)
    fields: list[FieldLine] = [
        {"in_h": in_h, "in_w": in_w, "in_c": in_c},
        {"out_h": out_h, "out_w": out_w, "out_c": out_c},
        {"at_y": at_y, "at_x": at_x, "at_c": at_c},
        {"value": layer.form.value},
    ]
    return [layer.call("pad_s8", fields)]
