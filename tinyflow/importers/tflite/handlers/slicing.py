"""SLICE, STRIDED_SLICE, SPLIT and SPLIT_V."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tinyflow.importers.tflite.flatbuffer import RawOperator
from tinyflow.importers.tflite.layer_error import LayerError
from tinyflow.importers.tflite.slicing import strided_box
from tinyflow.ir import Op, Tensor
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.slice import SliceAttrs

if TYPE_CHECKING:
    from tinyflow.importers.tflite.importer import Importer


def slice_(importer: Importer, op: RawOperator) -> None:
    """A constant begin and size; the batch axis is taken whole."""
    x = importer.operand(op, 0)
    begin = importer.integers(op, 1, "begin")
    count = importer.integers(op, 2, "size")
    if not len(begin) == len(count) == len(x.shape):
        raise LayerError(f"its slice of {len(begin)} axes does not fit {list(x.shape)}")
    end = tuple(d if c == -1 else b + c for d, b, c in zip(x.shape, begin, count, strict=True))
    importer.emit(op, Op.SLICE, [x], SliceAttrs(begin, end, (1,) * len(end)))


def strided_slice(importer: Importer, op: RawOperator) -> None:
    """A constant begin, end and positive stride; axes may be dropped (shrink_axis) but not added;
    the batch axis is taken whole."""
    x = importer.operand(op, 0)
    box = strided_box(
        op,
        x.shape,
        importer.integers(op, 1, "begin"),
        importer.integers(op, 2, "end"),
        importer.integers(op, 3, "stride"),
    )
    attrs = SliceAttrs(box.begin, box.end, box.strides)
    if not box.dropped:
        importer.emit(op, Op.SLICE, [x], attrs)
        return
    if 0 in box.dropped:
        raise LayerError("it drops the batch axis")
    cut = importer.emit_between(op, Op.SLICE, x, attrs, "slice")
    shape = tuple(d for i, d in enumerate(cut.shape) if i not in box.dropped)
    importer.emit(op, Op.RESHAPE, [cut], ReshapeAttrs(shape))


def split(importer: Importer, op: RawOperator) -> None:
    """Equal parts along a constant axis."""
    x = importer.operand(op, 1)
    axis = _axis(x, importer.integers(op, 0, "axis"))
    parts = len(op.outputs)
    if x.shape[axis] % parts:
        raise LayerError(f"{x.shape[axis]} does not split into {parts} equal parts")
    _split(importer, op, x, axis, [x.shape[axis] // parts] * parts)


def split_v(importer: Importer, op: RawOperator) -> None:
    """Parts of constant sizes along a constant axis."""
    x = importer.operand(op, 0)
    axis = _axis(x, importer.integers(op, 2, "axis"))
    sizes = list(importer.integers(op, 1, "list of sizes"))
    if sizes.count(-1) == 1:
        sizes[sizes.index(-1)] = x.shape[axis] - sum(sizes) - 1
    if sum(sizes) != x.shape[axis] or len(sizes) != len(op.outputs) or min(sizes) < 1:
        raise LayerError(f"{x.shape[axis]} does not split into {sizes}")
    _split(importer, op, x, axis, sizes)


def _split(importer: Importer, op: RawOperator, x: Tensor, axis: int, sizes: Sequence[int]) -> None:
    start = 0
    for output, size in enumerate(sizes):
        begin, end = [0] * len(x.shape), list(x.shape)
        begin[axis], end[axis] = start, start + size
        attrs = SliceAttrs(tuple(begin), tuple(end), (1,) * len(end))
        importer.emit(op, Op.SLICE, [x], attrs, output=output)
        start += size


def _axis(x: Tensor, values: Sequence[int]) -> int:
    axis = values[0] if len(values) == 1 else 0
    axis += len(x.shape) if axis < 0 else 0
    if not 0 < axis < len(x.shape):
        raise LayerError(f"it splits {list(x.shape)} along the axis {axis}")
    return axis
