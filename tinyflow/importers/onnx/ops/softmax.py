"""Softmax."""

from __future__ import annotations

from tinyflow.importers.common.axes import softmax_of
from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer


def convert_softmax(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over any axis; another than the last costs transposes."""
    return (softmax_of(layer, builder, builder.value(layer), layer.integer("axis", -1)),)
