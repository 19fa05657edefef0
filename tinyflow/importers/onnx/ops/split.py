"""Split."""

from __future__ import annotations

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer
from tinyflow.importers.common.views import split_of
from tinyflow.importers.onnx.stated import stated_integers


def convert_split(layer: Layer, builder: Builder) -> tuple[Value | str, ...]:
    """Equal or constant parts along any axis; each part is a slice."""
    x = builder.value(layer)
    axis = layer.integer("axis", 0) % len(x.shape)
    return split_of(layer, builder, x, axis, _sizes(layer, builder, x.shape[axis]))


def _sizes(layer: Layer, builder: Builder, total: int) -> tuple[int, ...]:
    stated = stated_integers(layer, builder, 1, "split")
    if stated is not None:
        return stated
    parts = layer.integer("num_outputs", len(layer.outputs))
    size = -(-total // parts)
    return tuple(min(size, total - start) for start in range(0, total, size))
