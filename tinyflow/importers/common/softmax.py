"""What is made of the exponents of a softmax besides itself."""

from __future__ import annotations

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.cumulative import running_sum
from tinyflow.importers.common.elementwise import binary, unary_of
from tinyflow.importers.common.layer import Layer
from tinyflow.importers.common.reductions import log_sum, max_of
from tinyflow.ir import Op
from tinyflow.ir.ops.hard_sigmoid import HardSigmoidAttrs

_STEEP = 1e30
"""Turns any difference of two float32 numbers of common sizes into more than 1."""


def log_softmax_of(layer: Layer, builder: Builder, value: Value, axis: int) -> Value:
    """``d - log(sum(exp(d)))`` with the distance d to the largest element."""
    below = _below_largest(layer, builder, value, axis)
    powers = unary_of(layer, builder, Op.EXP, below, suffix="exp")
    return binary(layer, builder, Op.SUB, (below, log_sum(layer, builder, powers, (axis,), True)))


def hardmax_of(layer: Layer, builder: Builder, value: Value, axis: int) -> Value:
    """1 for the first one of the largest elements, 0 for the others."""
    axis %= len(value.shape)
    below = _below_largest(layer, builder, value, axis)
    steps = (HardSigmoidAttrs(_STEEP, 1.0), HardSigmoidAttrs(-1.0, 1.0))
    largest = unary_of(layer, builder, Op.HARD_SIGMOID, below, steps[0], "largest")
    # Counts the largest ones in front of each element.
    count = running_sum(layer, builder, largest, axis, exclusive=True, backward=False)
    first = unary_of(layer, builder, Op.HARD_SIGMOID, count, steps[1], "first")
    return binary(layer, builder, Op.MUL, (largest, first))


def _below_largest(layer: Layer, builder: Builder, value: Value, axis: int) -> Value:
    largest = max_of(layer, builder, value, (axis,), keep=True)
    return binary(layer, builder, Op.SUB, (value, largest), "below")
