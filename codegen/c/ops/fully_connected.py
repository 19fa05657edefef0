"""FULLY_CONNECTED."""

from __future__ import annotations

from tinyflow.codegen.c.layer import KernelCall, Layer
from tinyflow.codegen.c.ops.accumulate import epilogue, zeros
from tinyflow.ir import as_nhwc


def bind(layer: Layer) -> list[KernelCall]:
    _, height, width, out_c = as_nhwc(layer.result.shape)
    fields = [
        {"height": height, "width": width},
        {"in_c": layer.operands[0].shape[-1], "out_c": out_c},
        {**zeros(layer), "w_zero": layer.form.weight_zero},
        *epilogue(layer),
    ]
    return [layer.call("fully_connected_s8", fields)]
