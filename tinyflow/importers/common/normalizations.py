"""Normalizations that LAYER_NORM computes on another view of the same elements, and others."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tinyflow.importers.common.axes import layer_norm_of, normalized
from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.elementwise import binary, clamped, unary_of
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.reductions import sum_of_magnitudes
from tinyflow.importers.common.views import concat_of, part_of, reshape_to, transpose_to
from tinyflow.ir import Op
from tinyflow.ir.ops.l2_norm import L2NormAttrs
from tinyflow.ir.ops.pad import PadAttrs
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.ir.ops.power import PowerAttrs

Parameter = Value | np.ndarray

_LEAST_NORM = 1e-12
"""What a norm of 0 counts as: 0 divided by it is 0."""


def group_norm(
    layer: Layer,
    builder: Builder,
    value: Value,
    groups: int,
    epsilon: float,
    scale: np.ndarray,
    bias: np.ndarray,
) -> Value:
    """Of [n, c, ...] over each of ``groups`` groups of channels and all that is behind;
    ``scale`` and ``bias`` are of [c]."""
    n, channels, *rest = value.shape
    if groups < 1 or channels % groups:
        raise RefusalError(f"{channels} channels do not split in {groups} groups")
    rows = reshape_to(
        layer, builder, value, (n, groups, math.prod((channels, *rest)) // groups), "rows"
    )
    normed = layer_norm_of(layer, builder, rows, 1, epsilon, None, None)
    y = reshape_to(layer, builder, normed, value.shape, "image")
    per_channel = (channels, *(1,) * len(rest))
    y = binary(layer, builder, Op.MUL, (y, scale.reshape(per_channel)), "scaled")
    return binary(layer, builder, Op.ADD, (y, bias.reshape(per_channel)), "shifted")


def mean_variance_norm(
    layer: Layer, builder: Builder, value: Value, axes: Sequence[int], epsilon: float
) -> Value:
    """Over any axes of the source."""
    rank = len(value.shape)
    reduced = normalized(axes, rank)
    perm = (*(axis for axis in range(rank) if axis not in reduced), *reduced)
    back = sorted(range(rank), key=lambda axis: perm[axis])
    last = transpose_to(layer, builder, value, perm, "axes_last")
    y = layer_norm_of(layer, builder, last, len(reduced), epsilon, None, None)
    return transpose_to(layer, builder, y, back, "axes_back")


def rms_norm(
    layer: Layer,
    builder: Builder,
    value: Value,
    axes: int,
    epsilon: float,
    scale: np.ndarray | None,
) -> Value:
    """``x / sqrt(mean(x^2) + epsilon) * scale`` over the last ``axes`` axes.

    The mean of x and -x together is 0 and their variance is mean(x^2), so that LAYER_NORM of both
    computes it, with its one rounding in int8.
    """
    front, inner = value.shape[: len(value.shape) - axes], value.shape[len(value.shape) - axes :]
    size = math.prod(inner)
    row = reshape_to(layer, builder, value, (*front, size), "row")
    negated = binary(layer, builder, Op.MUL, (row, -1.0), "negated")
    both = concat_of(layer, builder, (row, negated), len(front), "both")
    if scale is not None:
        scale = np.tile(np.broadcast_to(scale, inner).reshape(-1), 2)
    normed = layer_norm_of(layer, builder, both, 1, epsilon, scale, None)
    half = part_of(layer, builder, normed, len(front), 0, size, "half")
    return reshape_to(layer, builder, half, value.shape, "parted")


def l2_normalized(layer: Layer, builder: Builder, value: Value, axis: int) -> Value:
    """Divided by the Euclidean norm over one axis; 0 where that is 0."""
    rank = len(value.shape)
    axis %= rank
    perm = (*(i for i in range(rank) if i != axis), axis)
    back = sorted(range(rank), key=lambda i: perm[i])
    last = transpose_to(layer, builder, value, perm, "axis_last")
    y = builder.emit(layer, Op.L2_NORM, (builder.full(last, layer),), L2NormAttrs(_LEAST_NORM))
    return transpose_to(layer, builder, Value(y, last.shape), back, "axis_back")


def l1_normalized(layer: Layer, builder: Builder, value: Value, axis: int) -> Value:
    """Divided by the sum of magnitudes over one axis; 0 where that is 0."""
    norm = sum_of_magnitudes(layer, builder, value, (axis,), True)
    norm = clamped(layer, builder, norm, _LEAST_NORM, math.inf, "least")
    inverse = unary_of(layer, builder, Op.POWER, norm, PowerAttrs(-1.0), "inverse")
    return binary(layer, builder, Op.MUL, (value, inverse))


def local_response_norm(
    layer: Layer,
    builder: Builder,
    value: Value,
    size: int,
    alpha: float,
    beta: float,
    bias: float,
) -> Value:
    """``x / (bias + alpha * m)^beta``, m being the sum of squares of ``size`` neighbouring
    channels of [n, c, ...], divided by ``size``; channels that do not exist count as 0."""
    n, channels, *rest = value.shape
    squares = binary(layer, builder, Op.MUL, (value, value), "squares")
    image = builder.reshape(
        layer, builder.full(squares, layer), (1, n, channels, math.prod(rest)), "rows"
    )
    before = (size - 1) // 2
    border = ((0, 0), (0, 0), (before, size - 1 - before), (0, 0))
    image = builder.emit(layer, Op.PAD, (image,), PadAttrs(border), "padded")
    image = builder.emit(layer, Op.AVERAGE_POOL, (image,), PoolAttrs((1, size)), "pooled")
    mean = reshape_to(layer, builder, Value(image, builder.shape(image)), value.shape, "image")
    weighted = binary(layer, builder, Op.MUL, (mean, alpha), "weighted")
    shifted = binary(layer, builder, Op.ADD, (weighted, bias), "shifted")
    divisor = unary_of(layer, builder, Op.POWER, shifted, PowerAttrs(-beta), "power")
    return binary(layer, builder, Op.MUL, (value, divisor))
