"""Blocks of pixels that become channels, and channels that become blocks of pixels."""

from __future__ import annotations

from enum import Enum

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.views import reshape_to, transpose_to


class Order(Enum):
    """What a channel's number counts first: the place in the block, or the channel there."""

    BLOCK_FIRST = "block first"
    CHANNEL_FIRST = "channel first"


def depth_to_space(layer: Layer, builder: Builder, value: Value, size: int, order: Order) -> Value:
    """[n, c * size^2, h, w] -> [n, c, h * size, w * size]."""
    n, channels, height, width = _image(layer, value)
    depth = channels // size**2 if size > 0 else 0
    if depth * size**2 != channels or not depth:
        raise RefusalError(f"{channels} channels do not split in blocks of {size}x{size}")
    if order is Order.BLOCK_FIRST:
        parted = (n, size, size, depth, height, width)
        perm = (0, 3, 4, 1, 5, 2)
    else:
        parted = (n, depth, size, size, height, width)
        perm = (0, 1, 4, 2, 5, 3)
    x = reshape_to(layer, builder, value, parted, "parted")
    x = transpose_to(layer, builder, x, perm)
    return reshape_to(layer, builder, x, (n, depth, height * size, width * size), "joined")


def space_to_depth(layer: Layer, builder: Builder, value: Value, size: int, order: Order) -> Value:
    """[n, c, h * size, w * size] -> [n, c * size^2, h, w]."""
    n, depth, height, width = _image(layer, value)
    if size < 1 or height % size or width % size:
        raise RefusalError(f"{height}x{width} pixels do not split in blocks of {size}x{size}")
    x = reshape_to(
        layer, builder, value, (n, depth, height // size, size, width // size, size), "parted"
    )
    perm = (0, 3, 5, 1, 2, 4) if order is Order.BLOCK_FIRST else (0, 1, 3, 5, 2, 4)
    x = transpose_to(layer, builder, x, perm)
    joined = (n, depth * size**2, height // size, width // size)
    return reshape_to(layer, builder, x, joined, "joined")


def _image(layer: Layer, value: Value) -> tuple[int, int, int, int]:
    if len(value.shape) != 4:
        raise RefusalError(f"{layer.op} of {list(value.shape)}, which is no image")
    n, channels, height, width = value.shape
    return n, channels, height, width
