"""Concat."""

from __future__ import annotations

from tinyflow.importers.onnx.builder import Builder
from tinyflow.importers.onnx.layer import Layer
from tinyflow.ir import Op
from tinyflow.ir.ops.concat import ConcatAttrs


def convert_concat(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """Along any axis but the batch."""
    names = [builder.activation(layer, i) for i in range(len(layer.inputs))]
    axis = layer.integer("axis", 0)
    axis += len(builder.shape(names[0])) if axis < 0 else 0
    return (builder.emit(layer, Op.CONCAT, names, ConcatAttrs(axis)),)
