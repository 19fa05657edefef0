"""CumSum and CumProd."""

from __future__ import annotations

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.cumulative import running_product, running_sum
from tinyflow.importers.common.layer import Layer


def convert_cumsum(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Along any constant axis; becomes a product with a matrix of ones and zeros."""
    x, axis = _operands(layer, builder)
    return (running_sum(layer, builder, x, axis, layer.flag("exclusive"), layer.flag("reverse")),)


def convert_cumprod(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Along any constant axis; becomes products of neighbours 1, 2, 4, ... apart."""
    x, axis = _operands(layer, builder)
    return (
        running_product(layer, builder, x, axis, layer.flag("exclusive"), layer.flag("reverse")),
    )


def _operands(layer: Layer, builder: Builder) -> tuple[Value, int]:
    x = builder.value(layer)
    return x, builder.integers(layer, 1, "axis")[0] % len(x.shape)
