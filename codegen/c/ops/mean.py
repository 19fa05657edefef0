"""MEAN."""

from __future__ import annotations

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.ir import as_nhwc


def bind(layer: Layer) -> list[KernelCall]:
    shape, form = layer.operands[0].shape, layer.form
    kept = tuple(1 if axis in layer.attrs.axes else size for axis, size in enumerate(shape))
    _, in_h, in_w, in_c = as_nhwc(shape)
    view = as_nhwc(kept)
    fields: list[FieldLine] = [
        {"in_h": in_h, "in_w": in_w, "in_c": in_c},
        {"out_h": view[1], "out_w": view[2], "out_c": view[3]},
        {"count": form.count},
        {
            "in_zero": layer.operands[0].params.zero_point,
            "out_zero": layer.result.params.zero_point,
        },
        {"multiplier": form.output.multiplier, "shift": form.output.shift},
    ]
    return [layer.call("mean_s8", fields, output=layer.output_rows(view), rows=view[1])]
