"""Split."""

from __future__ import annotations

from tinyflow.importers.onnx.builder import BATCH_REMEDY, Builder
from tinyflow.importers.onnx.layer import Layer, RefusalError
from tinyflow.ir import Op
from tinyflow.ir.ops.slice import SliceAttrs


def convert_split(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """Equal or constant parts along any axis but the batch; each part is a slice."""
    x = builder.activation(layer)
    shape = builder.shape(x)
    axis = layer.integer("axis", 0) % len(shape)
    if axis == 0:
        raise RefusalError("Split cuts the batch axis", BATCH_REMEDY)
    sizes = _sizes(layer, builder, shape[axis])
    results = []
    start = 0
    for index, size in enumerate(sizes):
        begin, end = [0] * len(shape), list(shape)
        begin[axis], end[axis] = start, start + size
        start += size
        attrs = SliceAttrs(tuple(begin), tuple(end), (1,) * len(shape))
        suffix = str(index) if len(sizes) > 1 else ""
        used = index < len(layer.outputs) and layer.outputs[index] != ""
        results.append(builder.emit(layer, Op.SLICE, (x,), attrs, suffix) if used else "")
    return tuple(results)


def _sizes(layer: Layer, builder: Builder, total: int) -> tuple[int, ...]:
    if layer.has(1):
        return builder.integers(layer, 1, "split")
    parts = layer.integer("num_outputs", len(layer.outputs))
    size = -(-total // parts)
    return tuple(min(size, total - start) for start in range(0, total, size))
