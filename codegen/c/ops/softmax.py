"""SOFTMAX."""

from __future__ import annotations

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.ir import as_nhwc


def bind(layer: Layer) -> list[KernelCall]:
    _, height, width, channels = as_nhwc(layer.result.shape)
    scale = layer.form.input
    fields: list[FieldLine] = [
        {"height": height, "width": width, "channels": channels},
        {"multiplier": scale.multiplier, "shift": scale.shift},
        {"diff_min": layer.form.diff_min},
    ]
    return [layer.call("softmax_s8", fields)]
