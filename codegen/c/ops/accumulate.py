"""Shared by the layers that sum products: what follows the sums."""

from __future__ import annotations

import numpy as np

from tinyflow.codegen.c.layer import FieldLine, Layer


def epilogue(layer: Layer) -> list[FieldLine]:
    """The clamp, the weights and the tables per output channel."""
    form = layer.form
    channels = layer.result.shape[-1]
    bias = np.zeros(channels, dtype=np.int32)
    if len(layer.operands) > 2:
        bias = layer.operands[2].value
    return [
        {"lo": form.lo, "hi": form.hi},
        {"weights": layer.weight(1)},
        {"bias": layer.table("bias", bias)},
        {"multiplier": layer.table("multiplier", form.multiplier)},
        {"shift": layer.table("shift", form.shift.astype(np.int8))},
    ]


def sizes(layer: Layer) -> list[FieldLine]:
    """Input and output of an image operation."""
    _, in_h, in_w, in_c = layer.operands[0].shape
    _, out_h, out_w, out_c = layer.result.shape
    return [
        {"in_h": in_h, "in_w": in_w, "in_c": in_c},
        {"out_h": out_h, "out_w": out_w, "out_c": out_c},
    ]


def zeros(layer: Layer) -> FieldLine:
    return {
        "in_zero": layer.operands[0].params.zero_point,
        "out_zero": layer.result.params.zero_point,
    }
