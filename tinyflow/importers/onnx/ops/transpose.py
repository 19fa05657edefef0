"""Transpose."""

from __future__ import annotations

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer
from tinyflow.importers.common.views import transpose_to


def convert_transpose(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any order of the axes; passes remove what they can."""
    x = builder.value(layer)
    perm = layer.integers("perm") or tuple(range(len(x.shape)))[::-1]
    return (transpose_to(layer, builder, x, perm),)
