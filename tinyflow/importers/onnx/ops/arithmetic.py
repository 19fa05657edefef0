"""Add, Sub, Mul, Div, Pow, Min and Max."""

from __future__ import annotations

import math

import numpy as np

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.elementwise import binary, clamped, operand, quotient, unary
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.ir import Op
from tinyflow.ir.ops.power import PowerAttrs


def convert_add(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """With broadcasting; an operand may be constant."""
    return (binary(layer, builder, Op.ADD),)


def convert_sub(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """With broadcasting; an operand may be constant."""
    return (binary(layer, builder, Op.SUB),)


def convert_mul(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """With broadcasting; an operand may be constant."""
    return (binary(layer, builder, Op.MUL),)


def convert_div(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """By a constant that is nowhere zero; by an activation only where it is part of a
    normalization, a softmax or a function of one element."""
    return (quotient(layer, builder, operand(layer, builder, 0), operand(layer, builder, 1)),)


def convert_pow(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """The exponent is one constant number."""
    exponent = builder.constant(layer, 1, "exponent")
    if exponent.size != 1 or not np.isfinite(exponent.astype(np.float64)).all():
        raise RefusalError("Pow needs an exponent that is a single finite number")
    attrs = PowerAttrs(float(exponent.reshape(())))
    return (unary(layer, builder, Op.POWER, attrs),)


def convert_min(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Of one activation and constants that are single numbers."""
    x, limits = _limited(layer, builder)
    return (clamped(layer, builder, x, -math.inf, min(limits, default=math.inf)),)


def convert_max(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Of one activation and constants that are single numbers."""
    x, limits = _limited(layer, builder)
    return (clamped(layer, builder, x, max(limits, default=-math.inf), math.inf),)


def _limited(layer: Layer, builder: Builder) -> tuple[Value, list[float]]:
    """The one activation among the operands, and the numbers that limit it."""
    constants = [i for i in range(len(layer.inputs)) if builder.is_constant(layer, i)]
    values = [i for i in range(len(layer.inputs)) if i not in constants]
    if len(values) != 1 or any(builder.weight(layer, i, "limit").size != 1 for i in constants):
        raise RefusalError(
            f"{layer.op} needs one activation and constants that are single numbers",
        )
    limits = [float(builder.weight(layer, i, "limit").reshape(())) for i in constants]
    return builder.value(layer, values[0]), limits
