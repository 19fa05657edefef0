"""Pools: the largest element or the average of each window.

Over one or two image axes a window is a node of its own. Over more, or with dilation, one axis
follows the other, each seen as the columns of an image, so that nothing is transposed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.elementwise import binary
from tinyflow.importers.common.images import spatial_rank, to_nhwc, to_source
from tinyflow.importers.common.layer import Layer
from tinyflow.importers.common.padding import padded
from tinyflow.importers.common.picking import picked
from tinyflow.importers.common.views import reshape_to
from tinyflow.importers.common.windows import Window, image_size
from tinyflow.ir import Op
from tinyflow.ir.ops.depthwise_conv2d import DepthwiseConv2DAttrs
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.pad import PadAttrs
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.ir.ops.spatial import NO_PADDING


def max_pool(layer: Layer, builder: Builder, window: Window, ceiling: bool) -> str:
    """Of the layer's first operand, in the source's axes."""
    rank = spatial_rank(layer, builder, builder.activation(layer))
    x = to_nhwc(layer, builder, builder.activation(layer))
    if ceiling:
        window = window.with_ceiling(image_size(builder, x))
    attrs = PoolAttrs(window.kernel, window.strides, window.padding)
    return to_source(layer, builder, builder.emit(layer, Op.MAX_POOL, (x,), attrs), rank)


def average_pool(
    layer: Layer, builder: Builder, window: Window, ceiling: bool, count_padding: bool
) -> str:
    """As `max_pool`; a window over the whole image becomes a mean."""
    rank = spatial_rank(layer, builder, builder.activation(layer))
    x = to_nhwc(layer, builder, builder.activation(layer))
    size = image_size(builder, x)
    whole = window.with_ceiling(size) if ceiling else window
    if count_padding and window.padding != NO_PADDING:
        # The graph's average leaves padded pixels out, so they become pixels of the image. Those
        # that only ceil_mode adds stay out in the sources too.
        pads = ((0, 0), *window.padding, (0, 0))
        x = builder.emit(layer, Op.PAD, (x,), PadAttrs(pads), "padded")
        whole = without_padding(whole, window)
        size = image_size(builder, x)
    covers = whole.kernel == size and whole.padding == NO_PADDING
    if covers and whole.output_size(size) == (1, 1):
        y = builder.emit(layer, Op.MEAN, (x,), MeanAttrs((1, 2), keep_dims=True))
    else:
        attrs = PoolAttrs(whole.kernel, whole.strides, whole.padding)
        y = builder.emit(layer, Op.AVERAGE_POOL, (x,), attrs)
    return to_source(layer, builder, y, rank)


def without_padding(window: Window, stated: Window) -> Window:
    """``window`` on images that have the padding of ``stated`` already."""
    rows, columns = ((0, window.padding[axis][1] - stated.padding[axis][1]) for axis in (0, 1))
    return replace(window, padding=(rows, columns))


def max_pool_along(
    layer: Layer, builder: Builder, value: Value, axis: int, window: Window, ceiling: bool
) -> Value:
    """Over one axis of the source; ``window`` has one row, its columns are that axis."""
    size = value.shape[axis]
    if ceiling:
        window = window.with_ceiling((1, size))
    _, count = window.output_size((1, size))
    taps, step = window.kernel[1], window.strides[1]
    if window.dilations[1] > 1:
        value, taps, step = _undilated(layer, builder, value, axis, window, count)
        window = replace(window, padding=NO_PADDING)
    attrs = PoolAttrs((1, taps), (1, step), window.padding)
    x = builder.emit(layer, Op.MAX_POOL, (_columns(layer, builder, value, axis),), attrs)
    return _from_columns(layer, builder, x, value, axis, count)


def _undilated(
    layer: Layer, builder: Builder, value: Value, axis: int, window: Window, count: int
) -> tuple[Value, int, int]:
    """The elements of each window side by side, with the window and the stride for that.

    Where a window leaves the axis, another element of it stands in, which cannot change its
    maximum.
    """
    size, taps = value.shape[axis], window.kernel[1]
    starts = np.arange(count)[:, None] * window.strides[1] - window.padding[1][0]
    places = starts + np.arange(taps) * window.dilations[1]
    inside = (places >= 0) & (places < size)
    # The first element inside is the same for a whole run of windows or moves along with them.
    first = np.take_along_axis(places, inside.argmax(axis=1)[:, None], axis=1)
    chosen = np.where(inside, places, first)
    return picked(layer, builder, value, axis, chosen.reshape(-1).tolist()), taps, taps


def average_along(
    layer: Layer,
    builder: Builder,
    value: Value,
    axis: int,
    window: Window,
    ceiling: bool,
    count_padding: bool,
) -> Value:
    """As `max_pool_along`."""
    size = value.shape[axis]
    whole = window.with_ceiling((1, size)) if ceiling else window
    if count_padding and window.padding != NO_PADDING:
        pads = [(0, 0)] * len(value.shape)
        pads[axis] = window.padding[1]
        value = padded(layer, builder, value, pads, 0.0, "padded")
        whole = without_padding(whole, window)
        size = value.shape[axis]
    _, count = whole.output_size((1, size))
    x = _columns(layer, builder, value, axis)
    if whole.dilations[1] == 1:
        attrs = PoolAttrs(whole.kernel, whole.strides, whole.padding)
        y = builder.emit(layer, Op.AVERAGE_POOL, (x,), attrs)
        return _from_columns(layer, builder, y, value, axis, count)
    channels, taps = builder.shape(x)[3], whole.kernel[1]
    weight = np.full((1, 1, taps, channels), 1 / taps, dtype=np.float32)
    inputs = (x, builder.add_constant(f"{layer.name}/weight", weight))
    conv = DepthwiseConv2DAttrs(whole.strides, whole.padding, whole.dilations)
    y = builder.emit(layer, Op.DEPTHWISE_CONV_2D, inputs, conv)
    result = _from_columns(layer, builder, y, value, axis, count)
    inside = _taps_inside(whole, size, count)
    if (inside == taps).all():
        return result
    factors = (taps / inside).reshape(-1, *(1,) * (len(value.shape) - axis - 1))
    return binary(layer, builder, Op.MUL, (result, factors.astype(np.float32)), "weighted")


def _taps_inside(window: Window, size: int, count: int) -> np.ndarray:
    """How many elements of each window lie on an axis of ``size``, [count]."""
    starts = np.arange(count)[:, None] * window.strides[1] - window.padding[1][0]
    places = starts + np.arange(window.kernel[1]) * window.dilations[1]
    return np.asarray(((places >= 0) & (places < size)).sum(axis=1))


def _columns(layer: Layer, builder: Builder, value: Value, axis: int) -> str:
    """As an image whose columns are one axis: [1, what is before, the axis, what is behind]."""
    shape = value.shape
    image = (1, math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :]))
    return builder.reshape(layer, builder.full(value, layer), image, "columns")


def _from_columns(
    layer: Layer, builder: Builder, x: str, value: Value, axis: int, count: int
) -> Value:
    """The inverse of `_columns` for a result with ``count`` columns."""
    shape: Sequence[int] = (*value.shape[:axis], count, *value.shape[axis + 1 :])
    return reshape_to(layer, builder, Value(x, builder.shape(x)), shape, "axes")
