"""Copies, reversals and shuffles of elements."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinyflow.importers.common.blocks import Order, depth_to_space, space_to_depth
from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.choice import chosen
from tinyflow.importers.common.layer import Layer
from tinyflow.importers.common.picking import picked
from tinyflow.importers.common.views import reshape_to, tiled


def convert_flip(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Of axes of at most 64 elements: each costs a slice."""
    x = builder.value(layer)
    for axis in layer.integers("dims") or ():
        size = x.shape[axis]
        x = picked(layer, builder, x, axis % len(x.shape), range(size - 1, -1, -1))
    return (x,)


def convert_repeat(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any numbers of copies."""
    x, repeats = builder.value(layer), layer.integers("repeats") or ()
    whole = (*(1,) * (len(repeats) - len(x.shape)), *x.shape)
    return (tiled(layer, builder, reshape_to(layer, builder, x, whole, "whole"), repeats),)


def convert_pixel_shuffle(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Of images; becomes transposes."""
    factor = layer.integer("upscale_factor", 1)
    return (depth_to_space(layer, builder, builder.value(layer), factor, Order.CHANNEL_FIRST),)


def convert_pixel_unshuffle(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Of images; becomes transposes."""
    factor = layer.integer("downscale_factor", 1)
    return (space_to_depth(layer, builder, builder.value(layer), factor, Order.CHANNEL_FIRST),)


def convert_tril(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any diagonal; becomes a product with 0 and 1."""
    return (_triangle(layer, builder, np.tril),)


def convert_triu(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any diagonal; becomes a product with 0 and 1."""
    return (_triangle(layer, builder, np.triu),)


def _triangle(
    layer: Layer, builder: Builder, cut: Callable[[np.ndarray, int], np.ndarray]
) -> Value:
    x = builder.value(layer)
    kept = cut(np.ones(x.shape[-2:], dtype=bool), layer.integer("diagonal", 0))
    return chosen(layer, builder, kept, x, np.zeros((), dtype=np.float32))
