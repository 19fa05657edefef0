"""Slice."""

from __future__ import annotations

from tinyflow.importers.onnx.builder import BATCH_REMEDY, Builder
from tinyflow.importers.onnx.layer import Layer, RefusalError
from tinyflow.ir import Op
from tinyflow.ir.ops.slice import SliceAttrs


def convert_slice(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """Constant bounds and positive steps; the batch axis stays whole."""
    x = builder.activation(layer)
    shape = builder.shape(x)
    starts = builder.integers(layer, 1, "starts")
    ends = builder.integers(layer, 2, "ends")
    axes = builder.integers(layer, 3, "axes") if layer.has(3) else tuple(range(len(starts)))
    steps = builder.integers(layer, 4, "steps") if layer.has(4) else (1,) * len(starts)
    begin, end, strides = [0] * len(shape), list(shape), [1] * len(shape)
    for start, stop, axis, step in zip(starts, ends, axes, steps, strict=True):
        if step < 1:
            raise RefusalError("Slice with a negative step is not supported")
        begin[axis], end[axis], _ = slice(start, stop, step).indices(shape[axis])
        strides[axis] = step
    if begin[0] != 0 or end[0] != shape[0]:
        raise RefusalError("Slice cuts the batch axis", BATCH_REMEDY)
    attrs = SliceAttrs(tuple(begin), tuple(end), (1, *strides[1:]))
    return (builder.emit(layer, Op.SLICE, (x,), attrs),)
