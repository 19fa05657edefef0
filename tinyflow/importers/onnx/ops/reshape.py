"""Reshape, Flatten, Squeeze, Unsqueeze and Expand: the same elements under another shape."""

from __future__ import annotations

import math

import numpy as np

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.views import expanded, reshape_to
from tinyflow.importers.onnx.stated import needed_integers, stated_integers


def convert_reshape(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """To a constant shape."""
    x = builder.value(layer)
    wanted = list(builder.integers(layer, 1, "shape"))
    if not layer.integer("allowzero", 0):
        old = x.shape
        wanted = [old[i] if d == 0 and i < len(old) else d for i, d in enumerate(wanted)]
    if wanted.count(-1) == 1:
        known = math.prod(d for d in wanted if d != -1)
        wanted[wanted.index(-1)] = math.prod(x.shape) // known if known else 0
    return (reshape_to(layer, builder, x, wanted),)


def convert_flatten(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """At any axis."""
    x = builder.value(layer)
    axis = layer.integer("axis", 1)
    axis += len(x.shape) if axis < 0 else 0
    flat = (math.prod(x.shape[:axis]), math.prod(x.shape[axis:]))
    return (reshape_to(layer, builder, x, flat),)


def convert_squeeze(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any axes of 1."""
    x = builder.value(layer)
    stated = stated_integers(layer, builder, 1, "axes")
    if stated is None:
        axes = {axis for axis, size in enumerate(x.shape) if size == 1}
    else:
        axes = {axis % len(x.shape) for axis in stated}
    shape = [d for i, d in enumerate(x.shape) if i not in axes]
    return (reshape_to(layer, builder, x, shape),)


def convert_unsqueeze(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any constant axes."""
    x = builder.value(layer)
    axes = needed_integers(layer, builder, 1, "axes")
    rank = len(x.shape) + len(axes)
    inserted = {axis % rank for axis in axes}
    rest = iter(x.shape)
    shape = [1 if i in inserted else next(rest) for i in range(rank)]
    return (reshape_to(layer, builder, x, shape),)


def convert_expand(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """To a constant shape; nothing is copied where a layer that broadcasts reads it."""
    x = builder.value(layer)
    wanted = builder.integers(layer, 1, "shape")
    try:
        shape = np.broadcast_shapes(x.shape, wanted)
    except ValueError:
        raise RefusalError(f"{list(x.shape)} cannot be expanded to {list(wanted)}") from None
    return (expanded(layer, builder, x, tuple(int(d) for d in shape)),)
