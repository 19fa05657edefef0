"""Gather."""

from __future__ import annotations

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer
from tinyflow.importers.common.views import picked, reshape_to


def convert_gather(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Constant indices that are evenly spaced and ascending, as in taking one part of many."""
    x = builder.value(layer)
    axis = layer.integer("axis", 0) % len(x.shape)
    indices = builder.constant(layer, 1, "indices")
    y = picked(layer, builder, x, axis, indices.reshape(-1).tolist())
    shape = (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
    return (reshape_to(layer, builder, y, shape, "shaped"),)
