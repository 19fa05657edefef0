"""Operations over chosen axes of the source: means, sums, norms and softmax."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.elementwise import binary, unary_of
from tinyflow.importers.common.layer import Layer
from tinyflow.importers.common.views import lifted, lowered, reshape_to, transpose_to
from tinyflow.ir import Op
from tinyflow.ir.ops.layer_norm import LayerNormAttrs
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.power import PowerAttrs
from tinyflow.ir.ops.softmax import SoftmaxAttrs


def normalized(axes: Sequence[int], rank: int) -> tuple[int, ...]:
    """Ascending and non-negative; no axes at all stand for all of them."""
    return tuple(sorted({axis % rank for axis in axes})) if axes else tuple(range(rank))


def mean_of(
    layer: Layer,
    builder: Builder,
    value: Value,
    axes: Sequence[int],
    keep: bool,
    suffix: str = "",
) -> Value:
    """The average over ``axes`` of the source; none stand for all."""
    reduced = normalized(axes, len(value.shape))
    kept = tuple(1 if i in reduced else d for i, d in enumerate(value.shape))
    shape = kept if keep else tuple(d for i, d in enumerate(value.shape) if i not in reduced)
    if value.shape[:1] != (1,):
        attrs = MeanAttrs(tuple(axis + 1 for axis in reduced), keep_dims=True)
        x = builder.emit(layer, Op.MEAN, (lifted(layer, builder, value),), attrs, suffix)
        return reshape_to(layer, builder, lowered(layer, builder, x), shape, "squeezed")
    # The batch axis has one element, its own mean.
    inner = tuple(axis for axis in reduced if axis != 0)
    if not inner:
        return reshape_to(layer, builder, value, shape, "squeezed")
    attrs = MeanAttrs(inner, keep)
    x = builder.emit(layer, Op.MEAN, (builder.full(value, layer),), attrs, suffix)
    return reshape_to(layer, builder, Value(x, builder.shape(x)), shape, "squeezed")


def sum_of(layer: Layer, builder: Builder, value: Value, axes: Sequence[int], keep: bool) -> Value:
    """The sum over ``axes``: their mean times the number of elements."""
    reduced = normalized(axes, len(value.shape))
    count = math.prod(value.shape[axis] for axis in reduced)
    mean = mean_of(layer, builder, value, axes, keep, "mean")
    return binary(layer, builder, Op.MUL, (mean, float(count)))


def norm_of(layer: Layer, builder: Builder, value: Value, axes: Sequence[int], keep: bool) -> Value:
    """The Euclidean norm over ``axes``."""
    square = binary(layer, builder, Op.MUL, (value, value), "square")
    reduced = normalized(axes, len(value.shape))
    count = math.prod(value.shape[axis] for axis in reduced)
    mean = mean_of(layer, builder, square, axes, keep, "mean")
    total = binary(layer, builder, Op.MUL, (mean, float(count)), "sum")
    return unary_of(layer, builder, Op.POWER, total, PowerAttrs(0.5))


def softmax_of(layer: Layer, builder: Builder, value: Value, axis: int, suffix: str = "") -> Value:
    """Over one axis; another than the last costs transposes."""
    rank = len(value.shape)
    axis %= rank
    perm = (*(i for i in range(rank) if i != axis), axis)
    back = sorted(range(rank), key=lambda i: perm[i])
    last = transpose_to(layer, builder, value, perm, "axis_last")
    y = builder.emit(layer, Op.SOFTMAX, (builder.full(last, layer),), SoftmaxAttrs(), suffix)
    return transpose_to(layer, builder, Value(y, last.shape), back, "axis_back")


def standardized(
    layer: Layer, builder: Builder, value: Value, axes: int, epsilon: float
) -> tuple[Value, Value]:
    """The mean and the inverse of the standard deviation over the last ``axes`` axes, which stay
    as axes of 1."""
    rank = len(value.shape)
    reduced = tuple(range(rank - axes, rank))
    mean = mean_of(layer, builder, value, reduced, True, "mean")
    centred = binary(layer, builder, Op.SUB, (value, mean), "centred")
    squares = binary(layer, builder, Op.MUL, (centred, centred), "squares")
    variance = mean_of(layer, builder, squares, reduced, True, "variance")
    shifted = binary(layer, builder, Op.ADD, (variance, epsilon), "shifted")
    return mean, unary_of(layer, builder, Op.POWER, shifted, PowerAttrs(-0.5), "inverse")


def layer_norm_of(
    layer: Layer,
    builder: Builder,
    value: Value,
    axes: int,
    epsilon: float,
    gamma: np.ndarray | None,
    beta: np.ndarray | None,
) -> Value:
    """Over the last ``axes`` axes, which become one; gamma and beta have their shape."""
    inner = value.shape[len(value.shape) - axes :]
    size = math.prod(inner)
    flat = reshape_to(
        layer, builder, value, (*value.shape[: len(value.shape) - axes], size), "joined"
    )
    inputs = [builder.full(flat, layer)]
    if gamma is None and beta is not None:
        gamma = np.ones(inner, dtype=np.float32)
    for name, parameter in (("gamma", gamma), ("beta", beta)):
        if parameter is not None:
            row = np.broadcast_to(parameter, inner).reshape(size)
            inputs.append(builder.add_constant(f"{layer.name}/{name}", row))
    y = builder.emit(layer, Op.LAYER_NORM, inputs, LayerNormAttrs(epsilon))
    return reshape_to(layer, builder, Value(y, flat.shape), value.shape, "parted")
