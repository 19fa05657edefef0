"""Softmax."""

from __future__ import annotations

from tinyflow.importers.onnx.builder import BATCH_REMEDY, Builder
from tinyflow.importers.onnx.layer import Layer, RefusalError
from tinyflow.ir import Op
from tinyflow.ir.ops.softmax import SoftmaxAttrs


def convert_softmax(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """Over any axis but the batch; another than the last costs transposes."""
    x = builder.activation(layer)
    rank = len(builder.shape(x))
    axis = layer.integer("axis", -1) % rank
    if axis == 0:
        raise RefusalError("Softmax runs over the batch axis", BATCH_REMEDY)
    rest = [i for i in range(rank) if i != axis]
    perm = (*rest, axis)
    back = sorted(range(rank), key=lambda i: perm[i])
    inputs = (builder.transpose(layer, x, perm, "axis_last"),)
    y = builder.emit(layer, Op.SOFTMAX, inputs, SoftmaxAttrs())
    return (builder.transpose(layer, y, back, "axis_back"),)
