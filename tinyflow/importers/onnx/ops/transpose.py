"""Transpose."""

from __future__ import annotations

from tinyflow.importers.onnx.builder import Builder
from tinyflow.importers.onnx.layer import Layer
from tinyflow.ir import Op
from tinyflow.ir.ops.transpose import TransposeAttrs


def convert_transpose(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """Any order of the axes behind the batch; passes remove what they can."""
    x = builder.activation(layer)
    rank = len(builder.shape(x))
    perm = layer.integers("perm") or tuple(range(rank))[::-1]
    if rank and perm[0] == 0 and perm != tuple(range(rank)):
        return (builder.emit(layer, Op.TRANSPOSE, (x,), TransposeAttrs(perm)),)
    return (builder.transpose(layer, x, perm),)
