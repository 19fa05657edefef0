"""What is made of the exponents of a softmax besides itself."""

from __future__ import annotations

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.cumulative import running_sum
from tinyflow.importers.common.elementwise import binary, unary_of
from tinyflow.importers.common.formulas import function_of
from tinyflow.importers.common.layer import Layer
from tinyflow.importers.common.reductions import log_sum, max_of
from tinyflow.ir import Op
from tinyflow.ir.ops.function import Elementary
from tinyflow.ir.ops.function import Value as Step
from tinyflow.ir.ops.function_writer import FunctionWriter


def log_softmax_of(layer: Layer, builder: Builder, value: Value, axis: int) -> Value:
    """``d - log(sum(exp(d)))`` with the distance d to the largest element."""
    below = _below_largest(layer, builder, value, axis)
    powers = unary_of(layer, builder, Op.EXP, below, suffix="exp")
    return binary(layer, builder, Op.SUB, (below, log_sum(layer, builder, powers, (axis,), True)))


def hardmax_of(layer: Layer, builder: Builder, value: Value, axis: int) -> Value:
    """1 for the first one of the largest elements, 0 for the others."""
    axis %= len(value.shape)
    below = _below_largest(layer, builder, value, axis)
    largest = function_of(layer, builder, below, _is_zero, "largest")
    # Counts the largest ones in front of each element.
    count = running_sum(layer, builder, largest, axis, exclusive=True, backward=False)
    first = function_of(layer, builder, count, _is_none, "first")
    return binary(layer, builder, Op.MUL, (largest, first))


def _is_zero(writer: FunctionWriter, x: Step) -> Step:
    """1 where x, which is at most 0, is 0."""
    return writer.add(Elementary.SUB, 1.0, writer.add(Elementary.LESS, x, 0.0))


def _is_none(writer: FunctionWriter, count: Step) -> Step:
    return writer.add(Elementary.LESS, count, 0.5)


def _below_largest(layer: Layer, builder: Builder, value: Value, axis: int) -> Value:
    largest = max_of(layer, builder, value, (axis,), keep=True)
    return binary(layer, builder, Op.SUB, (value, largest), "below")
