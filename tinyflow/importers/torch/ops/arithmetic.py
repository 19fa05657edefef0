"""Sums, differences, products, quotients and extremes."""

from __future__ import annotations

import numpy as np

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.elementwise import binary, operand, quotient
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.several import extreme_of_all, operands_of
from tinyflow.ir import Op


def convert_add(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """With broadcasting; an operand may be constant."""
    return (_with_alpha(layer, builder, Op.ADD, 0, 1),)


def convert_sub(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """With broadcasting; an operand may be constant."""
    return (_with_alpha(layer, builder, Op.SUB, 0, 1),)


def convert_rsub(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """With broadcasting; an operand may be constant."""
    return (_with_alpha(layer, builder, Op.SUB, 1, 0),)


def convert_mul(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """With broadcasting; an operand may be constant."""
    return (binary(layer, builder, Op.MUL),)


def convert_div(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """By a constant that is nowhere zero; by an activation only where it is part of a
    normalization, a softmax or a function of one element."""
    if layer.attributes.get("rounding_mode") is not None:
        raise RefusalError("div that rounds its result is not supported")
    return (quotient(layer, builder, operand(layer, builder, 0), operand(layer, builder, 1)),)


def convert_maximum(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """With broadcasting; an operand may be constant."""
    return (extreme_of_all(layer, builder, Op.MAXIMUM, operands_of(layer, builder)),)


def convert_minimum(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """With broadcasting; an operand may be constant."""
    return (extreme_of_all(layer, builder, Op.MINIMUM, operands_of(layer, builder)),)


def _with_alpha(layer: Layer, builder: Builder, op: Op, first: int, second: int) -> Value:
    """``alpha`` multiplies the second operand, as torch writes it for rsub the first."""
    operands = [operand(layer, builder, 0), operand(layer, builder, 1)]
    alpha = layer.number("alpha", 1.0)
    scaled = 0 if first else 1
    x = operands[scaled]
    if alpha != 1.0:
        operands[scaled] = (
            binary(layer, builder, Op.MUL, (x, alpha), "alpha")
            if isinstance(x, Value)
            else np.asarray(x * np.float32(alpha))
        )
    return binary(layer, builder, op, (operands[first], operands[second]))
