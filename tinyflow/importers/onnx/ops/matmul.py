"""MatMul."""

from __future__ import annotations

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer
from tinyflow.importers.common.products import product


def convert_matmul(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """One operand is a constant matrix or vector, or the second one a stack of constants, or both
    are activations with equal leading axes, or one matrix on the right for all of them."""
    return (product(layer, builder),)
