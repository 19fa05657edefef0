"""Functions of one element that PyTorch has in a form of its own."""

from __future__ import annotations

import math

from tinyflow.importers.common.activations import prelu
from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.elementwise import binary, clamped, operand, unary
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.several import extreme_of_all
from tinyflow.ir import Op
from tinyflow.ir.ops.gelu import GeluAttrs
from tinyflow.ir.ops.hard_sigmoid import HardSigmoidAttrs
from tinyflow.ir.ops.leaky_relu import LeakyReluAttrs
from tinyflow.ir.ops.power import PowerAttrs


def convert_relu6(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """On any tensor."""
    return (clamped(layer, builder, builder.value(layer), 0.0, 6.0),)


def convert_hardtanh(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any limits."""
    lo, hi = layer.number("min_val", -1.0), layer.number("max_val", 1.0)
    return (clamped(layer, builder, builder.value(layer), lo, hi),)


def convert_clamp(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """The limits are numbers or tensors."""
    value = builder.value(layer)
    for index, op in ((1, Op.MAXIMUM), (2, Op.MINIMUM)):
        if layer.has(index):
            operands = (value, operand(layer, builder, index))
            value = extreme_of_all(layer, builder, op, operands)
    if layer.has(1) or layer.has(2):
        return (value,)
    lo, hi = layer.number("min", -math.inf), layer.number("max", math.inf)
    return (clamped(layer, builder, value, lo, hi),)


def convert_leaky_relu(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any slope."""
    attrs = LeakyReluAttrs(layer.number("negative_slope", 0.01))
    return (unary(layer, builder, Op.LEAKY_RELU, attrs),)


def convert_prelu(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """The slopes are constants: one, or one for each channel."""
    x, slope = builder.value(layer), builder.weight(layer, 1, "slope")
    if slope.ndim == 1 and len(x.shape) > 1:
        # One for each index of the second axis.
        slope = slope.reshape(-1, *(1,) * (len(x.shape) - 2))
    return (prelu(layer, builder, x, slope),)


def convert_hardsigmoid(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """On any tensor."""
    return (unary(layer, builder, Op.HARD_SIGMOID, HardSigmoidAttrs(1 / 6, 0.5)),)


def convert_silu(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Becomes a product with the sigmoid."""
    x = builder.value(layer)
    gate = unary(layer, builder, Op.SIGMOID, suffix="sigmoid")
    return (binary(layer, builder, Op.MUL, (x, gate)),)


def convert_gelu(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Exact and with tanh."""
    return (unary(layer, builder, Op.GELU, GeluAttrs(layer.text("approximate", "none") == "tanh")),)


def convert_rsqrt(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Becomes the power -1/2."""
    return (unary(layer, builder, Op.POWER, PowerAttrs(-0.5)),)


def convert_square(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Becomes the power 2."""
    return (unary(layer, builder, Op.POWER, PowerAttrs(2.0)),)


def convert_pow(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """The exponent is one number."""
    if len(layer.inputs) == 1 and "exponent" in layer.attributes:
        exponent = layer.number("exponent", 1.0)
    elif builder.is_constant(layer, 1) and builder.weight(layer, 1, "exponent").size == 1:
        exponent = float(builder.weight(layer, 1, "exponent").reshape(()))
    else:
        raise RefusalError("pow needs an exponent that is a single number")
    return (unary(layer, builder, Op.POWER, PowerAttrs(exponent)),)
