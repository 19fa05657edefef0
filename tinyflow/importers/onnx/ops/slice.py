"""Slice."""

from __future__ import annotations

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.views import slice_of
from tinyflow.importers.onnx.stated import needed_integers, stated_integers


def convert_slice(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Constant bounds and positive steps; the batch axis stays whole."""
    x = builder.value(layer)
    starts = needed_integers(layer, builder, 1, "starts")
    ends = needed_integers(layer, builder, 2, "ends")
    axes = stated_integers(layer, builder, 3, "axes") or tuple(range(len(starts)))
    steps = stated_integers(layer, builder, 4, "steps") or (1,) * len(starts)
    begin, end, strides = [0] * len(x.shape), list(x.shape), [1] * len(x.shape)
    for start, stop, axis, step in zip(starts, ends, axes, steps, strict=True):
        if step < 1:
            raise RefusalError("Slice with a negative step is not supported")
        begin[axis], end[axis], _ = slice(start, stop, step).indices(x.shape[axis])
        strides[axis] = step
    return (slice_of(layer, builder, x, begin, end, strides),)
