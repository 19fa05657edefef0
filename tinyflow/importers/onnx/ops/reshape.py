"""Reshape, Flatten, Squeeze and Unsqueeze: the same elements under another shape."""

from __future__ import annotations

import math

from tinyflow.importers.onnx.builder import Builder
from tinyflow.importers.onnx.layer import Layer, RefusalError


def convert_reshape(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """To a constant shape that keeps the batch axis."""
    x = builder.activation(layer)
    old = builder.shape(x)
    wanted = list(builder.integers(layer, 1, "shape"))
    if not layer.integer("allowzero", 0):
        wanted = [old[i] if d == 0 and i < len(old) else d for i, d in enumerate(wanted)]
    if wanted.count(-1) == 1:
        known = math.prod(d for d in wanted if d != -1)
        wanted[wanted.index(-1)] = math.prod(old) // known if known else 0
    if any(d < 1 for d in wanted):
        raise RefusalError(f"{list(old)} cannot be reshaped to {wanted}")
    return (builder.reshape(layer, x, wanted),)


def convert_flatten(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """From axis 1 on, so that the batch axis stays."""
    x = builder.activation(layer)
    shape = builder.shape(x)
    axis = layer.integer("axis", 1)
    axis += len(shape) if axis < 0 else 0
    flat = (math.prod(shape[:axis]), math.prod(shape[axis:]))
    return (builder.reshape(layer, x, flat),)


def convert_squeeze(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """Any axes of 1 but the batch."""
    x = builder.activation(layer)
    shape = builder.shape(x)
    if layer.has(1):
        axes = {axis % len(shape) for axis in builder.integers(layer, 1, "axes")}
    else:
        axes = {axis for axis, size in enumerate(shape) if size == 1}
    return (builder.reshape(layer, x, [d for i, d in enumerate(shape) if i not in axes]),)


def convert_unsqueeze(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """Any constant axes."""
    x = builder.activation(layer)
    axes = builder.integers(layer, 1, "axes")
    rank = len(builder.shape(x)) + len(axes)
    inserted = {axis % rank for axis in axes}
    rest = iter(builder.shape(x))
    return (builder.reshape(layer, x, [1 if i in inserted else next(rest) for i in range(rank)]),)
