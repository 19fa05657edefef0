"""Tile."""

from __future__ import annotations

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer
from tinyflow.importers.common.views import tiled


def convert_tile(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """By constant numbers of copies."""
    return (tiled(layer, builder, builder.value(layer), builder.integers(layer, 1, "repeats")),)
