"""SOFTMAX."""

from __future__ import annotations

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.ir import DType, as_nhwc


def bind(layer: Layer) -> list[KernelCall]:
    scale = layer.form.input
    fields: list[FieldLine] = [
        *size_fields(layer),
        {"multiplier": scale.multiplier, "shift": scale.shift},
        {"diff_min": layer.form.diff_min},
    ]
    return [layer.call("softmax_s8", fields)]


def size_fields(layer: Layer) -> list[FieldLine]:
    _, height, width, channels = as_nhwc(layer.result.shape)
    sizes: FieldLine = {"height": height, "width": width, "channels": channels}
    return [sizes, {"wide": 1}] if layer.result.dtype is DType.INT16 else [sizes]
