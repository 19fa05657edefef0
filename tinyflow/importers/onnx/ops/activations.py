"""Relu, Clip and the other functions of one element."""

from __future__ import annotations

import math

import numpy as np

from tinyflow.importers.onnx.builder import Builder
from tinyflow.importers.onnx.layer import Layer, RefusalError
from tinyflow.ir import RELU, Attrs, Clamp, Op
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.hard_sigmoid import HardSigmoidAttrs
from tinyflow.ir.ops.leaky_relu import LeakyReluAttrs


def convert_relu(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """On any tensor."""
    return (builder.emit(layer, Op.CLAMP, (builder.activation(layer),), ClampAttrs(RELU)),)


def convert_clip(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """The limits are constants; ReLU6 is the limits 0 and 6."""
    lo = _limit(layer, builder, 1, -math.inf)
    hi = _limit(layer, builder, 2, math.inf)
    attrs = ClampAttrs(Clamp(min(lo, hi), hi))
    return (builder.emit(layer, Op.CLAMP, (builder.activation(layer),), attrs),)


def convert_leaky_relu(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """Any slope."""
    attrs = LeakyReluAttrs(layer.number("alpha", 0.01))
    return (builder.emit(layer, Op.LEAKY_RELU, (builder.activation(layer),), attrs),)


def convert_hard_sigmoid(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """Any alpha and beta."""
    attrs = HardSigmoidAttrs(layer.number("alpha", 0.2), layer.number("beta", 0.5))
    return (builder.emit(layer, Op.HARD_SIGMOID, (builder.activation(layer),), attrs),)


def convert_hard_swish(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """On any tensor."""
    return (builder.emit(layer, Op.HARD_SWISH, (builder.activation(layer),), Attrs()),)


def convert_sigmoid(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """On any tensor."""
    return (builder.emit(layer, Op.SIGMOID, (builder.activation(layer),), Attrs()),)


def convert_tanh(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """On any tensor."""
    return (builder.emit(layer, Op.TANH, (builder.activation(layer),), Attrs()),)


def _limit(layer: Layer, builder: Builder, index: int, default: float) -> float:
    if not layer.has(index):
        return default
    value = builder.weight(layer, index, "limit")
    if value.size != 1 or np.isnan(value).any():
        raise RefusalError("Clip needs limits that are single numbers")
    return float(value.reshape(()))
