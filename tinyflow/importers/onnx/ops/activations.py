"""Relu, Clip and the other functions of one element."""

from __future__ import annotations

import math

import numpy as np

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.elementwise import clamped, unary
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.ir import Op
from tinyflow.ir.ops.gelu import GeluAttrs
from tinyflow.ir.ops.hard_sigmoid import HardSigmoidAttrs
from tinyflow.ir.ops.leaky_relu import LeakyReluAttrs


def convert_clip(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """The limits are constants; ReLU6 is the limits 0 and 6."""
    lo = _limit(layer, builder, 1, -math.inf)
    hi = _limit(layer, builder, 2, math.inf)
    return (clamped(layer, builder, builder.value(layer), lo, hi),)


def convert_leaky_relu(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any slope."""
    attrs = LeakyReluAttrs(layer.number("alpha", 0.01))
    return (unary(layer, builder, Op.LEAKY_RELU, attrs),)


def convert_hard_sigmoid(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any alpha and beta."""
    attrs = HardSigmoidAttrs(layer.number("alpha", 0.2), layer.number("beta", 0.5))
    return (unary(layer, builder, Op.HARD_SIGMOID, attrs),)


def convert_gelu(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Exact and with tanh."""
    form = layer.text("approximate", "none")
    if form not in ("none", "tanh"):
        raise RefusalError(f"Gelu approximated by '{form}' is not supported")
    return (unary(layer, builder, Op.GELU, GeluAttrs(form == "tanh")),)


def _limit(layer: Layer, builder: Builder, index: int, default: float) -> float:
    if not layer.has(index):
        return default
    value = builder.weight(layer, index, "limit")
    if value.size != 1 or np.isnan(value).any():
        raise RefusalError("Clip needs limits that are single numbers")
    return float(value.reshape(()))
