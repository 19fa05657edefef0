"""Add, Sub, Mul, Div, Pow, and Min, Max, Sum and Mean of several operands."""

from __future__ import annotations

import numpy as np

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.elementwise import binary, operand, quotient, unary
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.several import (
    extreme_of_all,
    mean_of_all,
    operands_of,
    sum_of_all,
)
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
    """With broadcasting, of any number of operands; some may be constant."""
    return (extreme_of_all(layer, builder, Op.MINIMUM, operands_of(layer, builder)),)


def convert_max(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """With broadcasting, of any number of operands; some may be constant."""
    return (extreme_of_all(layer, builder, Op.MAXIMUM, operands_of(layer, builder)),)


def convert_sum(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """With broadcasting, of any number of operands; some may be constant."""
    return (sum_of_all(layer, builder, operands_of(layer, builder)),)


def convert_mean(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """With broadcasting, of any number of operands; some may be constant."""
    return (mean_of_all(layer, builder, operands_of(layer, builder)),)
