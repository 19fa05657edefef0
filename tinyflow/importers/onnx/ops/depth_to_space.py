"""DepthToSpace and SpaceToDepth."""

from __future__ import annotations

from tinyflow.importers.common.blocks import Order, depth_to_space, space_to_depth
from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer, RefusalError

_ORDERS = {"DCR": Order.BLOCK_FIRST, "CRD": Order.CHANNEL_FIRST}


def convert_depth_to_space(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Both orders of channels; becomes transposes."""
    size = layer.integer("blocksize", 1)
    return (depth_to_space(layer, builder, builder.value(layer), size, _order(layer)),)


def convert_space_to_depth(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Both orders of channels; becomes transposes."""
    size = layer.integer("blocksize", 1)
    return (space_to_depth(layer, builder, builder.value(layer), size, _order(layer)),)


def _order(layer: Layer) -> Order:
    mode = layer.text("mode", "DCR")
    if mode not in _ORDERS:
        raise RefusalError(f"{layer.op} in mode '{mode}' is not supported")
    return _ORDERS[mode]
