"""Slice."""

from __future__ import annotations

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer
from tinyflow.importers.common.picking import picked
from tinyflow.importers.common.views import slice_of
from tinyflow.importers.onnx.stated import needed_integers, stated_integers


def convert_slice(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Constant bounds and steps; a negative one costs a slice for each element of the axis."""
    x = builder.value(layer)
    starts = needed_integers(layer, builder, 1, "starts")
    ends = needed_integers(layer, builder, 2, "ends")
    axes = stated_integers(layer, builder, 3, "axes") or tuple(range(len(starts)))
    steps = stated_integers(layer, builder, 4, "steps") or (1,) * len(starts)
    begin, end, strides = [0] * len(x.shape), list(x.shape), [1] * len(x.shape)
    backward = {}
    for start, stop, axis, step in zip(starts, ends, axes, steps, strict=True):
        indices = range(*slice(start, stop, step).indices(x.shape[axis]))
        if step < 0:
            backward[axis] = indices
        else:
            begin[axis], end[axis], strides[axis] = indices.start, indices.stop, step
    y = slice_of(layer, builder, x, begin, end, strides, "forward" if backward else "")
    for axis, indices in backward.items():
        y = picked(layer, builder, y, axis, indices)
    return (y,)
