"""ReduceMean."""

from __future__ import annotations

from tinyflow.importers.onnx.builder import Builder
from tinyflow.importers.onnx.layer import Layer
from tinyflow.ir import Op
from tinyflow.ir.ops.mean import MeanAttrs


def convert_reduce_mean(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """Over any constant axes; the batch axis has to stay."""
    x = builder.activation(layer)
    rank = len(builder.shape(x))
    axes = builder.integers(layer, 1, "axes") if layer.has(1) else layer.integers("axes") or ()
    if not axes:
        if layer.integer("noop_with_empty_axes", 0):
            return (x,)
        axes = tuple(range(rank))
    reduced = tuple(sorted({axis % rank for axis in axes}))
    keep = bool(layer.integer("keepdims", 1))
    # The batch axis has one element, its own mean; without keepdims its removal is refused.
    inner = tuple(axis for axis in reduced if axis != 0)
    if not inner:
        return (x,) if keep else (builder.reshape(layer, x, builder.shape(x)[1:]),)
    y = builder.emit(layer, Op.MEAN, (x,), MeanAttrs(inner, keep))
    if 0 in reduced and not keep:
        return (builder.reshape(layer, y, builder.shape(y)[1:], "squeezed"),)
    return (y,)
