"""Where and Trilu."""

from __future__ import annotations

import numpy as np

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.choice import chosen
from tinyflow.importers.common.elementwise import operand
from tinyflow.importers.common.layer import Layer


def convert_where(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """A constant condition; becomes products with 0 and 1."""
    condition = builder.constant(layer, 0, "condition").astype(bool)
    left, right = operand(layer, builder, 1), operand(layer, builder, 2)
    return (chosen(layer, builder, condition, left, right),)


def convert_trilu(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any constant k; becomes a product with 0 and 1."""
    x = builder.value(layer)
    k = int(builder.integers(layer, 1, "k")[0]) if layer.has(1) else 0
    ones = np.ones(x.shape[-2:], dtype=bool)
    kept = np.triu(ones, k) if layer.integer("upper", 1) else np.tril(ones, k)
    return (chosen(layer, builder, kept, x, np.zeros((), dtype=np.float32)),)
