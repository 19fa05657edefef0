"""Concat."""

from __future__ import annotations

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer
from tinyflow.importers.common.views import concat_of


def convert_concat(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Along any axis."""
    values = [builder.value(layer, i) for i in range(len(layer.inputs))]
    axis = layer.integer("axis", 0) % len(values[0].shape)
    return (concat_of(layer, builder, values, axis),)
