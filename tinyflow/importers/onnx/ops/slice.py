"""Slice."""

from __future__ import annotations

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.views import slice_of


def convert_slice(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Constant bounds and positive steps; the batch axis stays whole."""
    x = builder.value(layer)
    starts = builder.integers(layer, 1, "starts")
    ends = builder.integers(layer, 2, "ends")
    axes = builder.integers(layer, 3, "axes") if layer.has(3) else tuple(range(len(starts)))
    steps = builder.integers(layer, 4, "steps") if layer.has(4) else (1,) * len(starts)
    begin, end, strides = [0] * len(x.shape), list(x.shape), [1] * len(x.shape)
    for start, stop, axis, step in zip(starts, ends, axes, steps, strict=True):
        if step < 1:
            raise RefusalError("Slice with a negative step is not supported")
        begin[axis], end[axis], _ = slice(start, stop, step).indices(x.shape[axis])
        strides[axis] = step
    return (slice_of(layer, builder, x, begin, end, strides),)
