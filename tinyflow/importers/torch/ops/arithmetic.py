"""Sums, differences, products and quotients."""

from __future__ import annotations

import math

import numpy as np

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.elementwise import binary, clamped, operand, quotient
from tinyflow.importers.common.layer import Layer, RefusalError
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
    """Of an activation and a constant that is a single number."""
    return (_limited(layer, builder, lower=True),)


def convert_minimum(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Of an activation and a constant that is a single number."""
    return (_limited(layer, builder, lower=False),)


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


def _limited(layer: Layer, builder: Builder, lower: bool) -> Value:
    constants = [i for i in (0, 1) if builder.is_constant(layer, i)]
    if len(constants) != 1 or builder.weight(layer, constants[0], "limit").size != 1:
        raise RefusalError(f"{layer.op} needs an activation and a constant single number")
    limit = float(builder.weight(layer, constants[0], "limit").reshape(()))
    x = builder.value(layer, 1 - constants[0])
    lo, hi = (limit, math.inf) if lower else (-math.inf, limit)
    return clamped(layer, builder, x, lo, hi)
