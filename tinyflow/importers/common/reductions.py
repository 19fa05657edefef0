"""Reductions over axes of the source other than the mean and the sum: extremes, products, norms of
any order, logarithms of sums."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from tinyflow.importers.common.axes import normalized, sum_of
from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.elementwise import binary, unary_of
from tinyflow.importers.common.layer import Layer
from tinyflow.importers.common.views import part_of, reshape_to
from tinyflow.ir import Op
from tinyflow.ir.ops.pool import PoolAttrs

Reduction = Callable[[Layer, Builder, Value, Sequence[int], bool], Value]
"""Of a value over ``axes`` of the source (none stand for all); whether they stay as axes of 1."""


def max_of(layer: Layer, builder: Builder, value: Value, axes: Sequence[int], keep: bool) -> Value:
    """The largest element: a pool over one run of neighbouring axes after the other."""
    shape = value.shape
    for first, stop in _runs(normalized(axes, len(shape))):
        before, size = math.prod(value.shape[:first]), math.prod(value.shape[first:stop])
        after = math.prod(value.shape[stop:])
        if size == 1:
            continue
        image = builder.reshape(layer, builder.full(value, layer), (1, before, size, after), "rows")
        y = builder.emit(layer, Op.MAX_POOL, (image,), PoolAttrs((1, size)))
        kept = (*value.shape[:first], *(1,) * (stop - first), *value.shape[stop:])
        value = reshape_to(layer, builder, Value(y, (1, before, 1, after)), kept, "kept")
    return _dropped(layer, builder, value, axes, keep)


def min_of(layer: Layer, builder: Builder, value: Value, axes: Sequence[int], keep: bool) -> Value:
    """The smallest element: the largest one with its sign changed, and changed back."""
    negated = binary(layer, builder, Op.MUL, (value, -1.0), "negated")
    largest = max_of(layer, builder, negated, axes, keep)
    return binary(layer, builder, Op.MUL, (largest, -1.0), "restored")


def sum_of_magnitudes(
    layer: Layer, builder: Builder, value: Value, axes: Sequence[int], keep: bool
) -> Value:
    """The norm of order 1."""
    magnitudes = unary_of(layer, builder, Op.ABS, value, suffix="magnitudes")
    return sum_of(layer, builder, magnitudes, axes, keep)


def sum_of_squares(
    layer: Layer, builder: Builder, value: Value, axes: Sequence[int], keep: bool
) -> Value:
    squares = binary(layer, builder, Op.MUL, (value, value), "squares")
    return sum_of(layer, builder, squares, axes, keep)


def log_sum(layer: Layer, builder: Builder, value: Value, axes: Sequence[int], keep: bool) -> Value:
    total = sum_of(layer, builder, value, axes, keep)
    return unary_of(layer, builder, Op.LOG, total, suffix="log")


def log_sum_exp(
    layer: Layer, builder: Builder, value: Value, axes: Sequence[int], keep: bool
) -> Value:
    """``m + log(sum(exp(x - m)))`` with the largest element m, so that no power overflows."""
    largest = max_of(layer, builder, value, axes, keep=True)
    below = binary(layer, builder, Op.SUB, (value, largest), "below")
    powers = unary_of(layer, builder, Op.EXP, below, suffix="exp")
    logarithm = log_sum(layer, builder, powers, axes, True)
    total = binary(layer, builder, Op.ADD, (logarithm, largest), "total")
    return _dropped(layer, builder, total, axes, keep)


def product_of_elements(
    layer: Layer, builder: Builder, value: Value, axes: Sequence[int], keep: bool
) -> Value:
    """The product: halves of an axis multiplied until one element is left."""
    for axis in normalized(axes, len(value.shape)):
        left: list[Value] = []
        while value.shape[axis] > 1:
            size = value.shape[axis]
            half = size // 2
            if size % 2:
                left.append(part_of(layer, builder, value, axis, size - 1, size, "last"))
            halves = (
                part_of(layer, builder, value, axis, 0, half, "first_half"),
                part_of(layer, builder, value, axis, half, 2 * half, "second_half"),
            )
            value = binary(layer, builder, Op.MUL, halves, "halves")
        for last in left:
            value = binary(layer, builder, Op.MUL, (value, last), "with_last")
    return _dropped(layer, builder, value, axes, keep)


def _runs(axes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """(first, stop) of neighbouring ones."""
    start = 0
    for index in range(1, len(axes) + 1):
        if index == len(axes) or axes[index] != axes[index - 1] + 1:
            yield axes[start], axes[index - 1] + 1
            start = index


def _dropped(
    layer: Layer, builder: Builder, value: Value, axes: Sequence[int], keep: bool
) -> Value:
    """Without the reduced axes, which are 1 by now."""
    if keep:
        return value
    reduced = normalized(axes, len(value.shape))
    shape = [d for axis, d in enumerate(value.shape) if axis not in reduced]
    return reshape_to(layer, builder, value, shape, "squeezed")
