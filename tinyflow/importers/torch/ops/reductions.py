"""Means, sums and norms over axes."""

from __future__ import annotations

from tinyflow.importers.common.axes import mean_of, norm_of, sum_of
from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer, RefusalError


def convert_mean(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over any axes."""
    return (mean_of(layer, builder, builder.value(layer), _axes(layer), layer.flag("keepdim")),)


def convert_sum(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over any axes; becomes a mean times the number of elements."""
    return (sum_of(layer, builder, builder.value(layer), _axes(layer), layer.flag("keepdim")),)


def convert_vector_norm(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Of order 2, over any axes, in normalizations; becomes the root of a sum of squares."""
    order = layer.number("ord", layer.number("p", 2.0))
    if order != 2.0:
        raise RefusalError(f"{layer.op} of order {order:g} is not supported", "use order 2")
    return (norm_of(layer, builder, builder.value(layer), _axes(layer), layer.flag("keepdim")),)


def _axes(layer: Layer) -> tuple[int, ...]:
    stated = layer.attributes.get("dim")
    return (stated,) if isinstance(stated, int) else tuple(int(axis) for axis in stated or ())
