"""Clip, and the functions of one element that ONNX has with attributes of its own."""

from __future__ import annotations

import math

from tinyflow.importers.common.activations import prelu
from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.elementwise import clamped, unary
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.onnx.stated import stated_number
from tinyflow.ir import Op
from tinyflow.ir.ops.gelu import GeluAttrs
from tinyflow.ir.ops.hard_sigmoid import HardSigmoidAttrs
from tinyflow.ir.ops.leaky_relu import LeakyReluAttrs


def convert_clip(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """The limits are constants; ReLU6 is the limits 0 and 6."""
    lo = stated_number(layer, builder, 1, "min", -math.inf)
    hi = stated_number(layer, builder, 2, "max", math.inf)
    return (clamped(layer, builder, builder.value(layer), lo, hi),)


def convert_leaky_relu(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any slope."""
    attrs = LeakyReluAttrs(layer.number("alpha", 0.01))
    return (unary(layer, builder, Op.LEAKY_RELU, attrs),)


def convert_prelu(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """The slopes are constants of any shape that broadcasts to the operand."""
    return (prelu(layer, builder, builder.value(layer), builder.weight(layer, 1, "slope")),)


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
