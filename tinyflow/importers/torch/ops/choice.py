"""where."""

from __future__ import annotations

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.choice import chosen
from tinyflow.importers.common.elementwise import operand
from tinyflow.importers.common.layer import Layer


def convert_where(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """A constant condition; becomes products with 0 and 1."""
    condition = builder.constant(layer, 0, "condition").astype(bool)
    left, right = operand(layer, builder, 1), operand(layer, builder, 2)
    return (chosen(layer, builder, condition, left, right),)
