"""What newer operator sets state by an operand and older ones by an attribute."""

from __future__ import annotations

from tinyflow.importers.common.builder import Builder
from tinyflow.importers.common.layer import Layer


def stated_integers(
    layer: Layer, builder: Builder, index: int, name: str
) -> tuple[int, ...] | None:
    """Integers by the operand ``index`` or by the attribute ``name``; None where neither is
    there."""
    return builder.integers(layer, index, name) if layer.has(index) else layer.integers(name)


def stated_number(layer: Layer, builder: Builder, index: int, name: str, default: float) -> float:
    """As `stated_integers`, a single number; ``default`` where neither is there."""
    if not layer.has(index):
        return layer.number(name, default)
    return builder.number(layer, index, name)


def needed_integers(layer: Layer, builder: Builder, index: int, name: str) -> tuple[int, ...]:
    """As `stated_integers`; a layer without them is refused."""
    stated = stated_integers(layer, builder, index, name)
    return builder.integers(layer, index, name) if stated is None else stated
