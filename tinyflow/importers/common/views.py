"""Views: the same elements under another shape, in another order, or a part of them.

The functions take and give `Value`s, in the source's axes. Where the source's batch axis moves, or
meets others, they work on the tensor with an axis of 1 in front.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tinyflow.importers.common.builder import BATCH_REMEDY, Builder, Value
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.ir import Op, Shape
from tinyflow.ir.ops.concat import ConcatAttrs
from tinyflow.ir.ops.slice import SliceAttrs


def stored_shape(shape: Shape) -> Shape:
    """The shape of the tensor that holds a value of ``shape``."""
    return shape if shape[:1] == (1,) else (1, *shape)


def lifted(layer: Layer, builder: Builder, value: Value) -> str:
    """The value as a tensor with an axis of 1 in front of all of the source's."""
    return builder.reshape(layer, builder.full(value, layer), (1, *value.shape), "lifted")


def lowered(layer: Layer, builder: Builder, x: str) -> Value:
    """The inverse of `lifted`."""
    shape = builder.shape(x)[1:]
    return Value(builder.reshape(layer, x, stored_shape(shape), "lowered"), shape)


def reshape_to(
    layer: Layer, builder: Builder, value: Value, shape: Sequence[int], suffix: str = ""
) -> Value:
    """The elements in the same order; ``shape`` is complete."""
    wanted = tuple(int(d) for d in shape)
    if math.prod(wanted) != math.prod(value.shape) or any(d < 1 for d in wanted):
        raise RefusalError(f"{list(value.shape)} cannot be reshaped to {list(wanted)}")
    x = builder.reshape(layer, builder.full(value, layer), stored_shape(wanted), suffix)
    return Value(x, wanted)


def transpose_to(
    layer: Layer, builder: Builder, value: Value, perm: Sequence[int], suffix: str = ""
) -> Value:
    """Axis i of the result is axis ``perm[i]`` of the value."""
    rank = len(value.shape)
    order = tuple(int(p) % rank for p in perm)
    shape = tuple(value.shape[axis] for axis in order)
    moved = [axis for axis in order if value.shape[axis] > 1]
    if order == tuple(range(rank)):
        return value
    if moved == sorted(moved):
        return reshape_to(layer, builder, value, shape, suffix)
    if order[0] == 0 and value.shape[0] == 1:
        return Value(builder.transpose(layer, builder.full(value, layer), order, suffix), shape)
    if value.shape[0] == 1:
        rest = (0, *(axis for axis in order if axis != 0))
        x = builder.transpose(layer, builder.full(value, layer), rest, suffix)
        return Value(builder.reshape(layer, x, stored_shape(shape), "lowered"), shape)
    raised = (0, *(axis + 1 for axis in order))
    x = builder.transpose(layer, lifted(layer, builder, value), raised, suffix)
    return lowered(layer, builder, x)


def slice_of(
    layer: Layer,
    builder: Builder,
    value: Value,
    begin: Sequence[int],
    end: Sequence[int],
    strides: Sequence[int],
    suffix: str = "",
) -> Value:
    """A box of the value, by ``range(begin, end, stride)`` for each of the source's axes."""
    boxes = list(zip(begin, end, strides, strict=True))
    if all(box == (0, size, 1) for box, size in zip(boxes, value.shape, strict=True)):
        return value
    if value.shape[0] == 1:
        if boxes[0][0] != 0 or boxes[0][1] < 1:
            raise RefusalError("it cuts the batch axis", BATCH_REMEDY)
        boxes[0] = (0, 1, 1)
        x = builder.emit(layer, Op.SLICE, (builder.full(value, layer),), _attrs(boxes), suffix)
        return Value(x, builder.shape(x))
    x = lifted(layer, builder, value)
    x = builder.emit(layer, Op.SLICE, (x,), _attrs([(0, 1, 1), *boxes]), suffix)
    return lowered(layer, builder, x)


def _attrs(boxes: Sequence[tuple[int, int, int]]) -> SliceAttrs:
    return SliceAttrs(
        tuple(b for b, _, _ in boxes), tuple(e for _, e, _ in boxes), tuple(s for _, _, s in boxes)
    )


def part_of(
    layer: Layer,
    builder: Builder,
    value: Value,
    axis: int,
    begin: int,
    end: int,
    suffix: str = "",
    stride: int = 1,
) -> Value:
    """The indices ``range(begin, end, stride)`` of one axis."""
    begins, ends, strides = [0] * len(value.shape), list(value.shape), [1] * len(value.shape)
    begins[axis], ends[axis], strides[axis] = begin, end, stride
    return slice_of(layer, builder, value, begins, ends, strides, suffix)


def without_axis(
    layer: Layer, builder: Builder, value: Value, axis: int, suffix: str = "squeezed"
) -> Value:
    """Without an axis of 1."""
    shape = (*value.shape[:axis], *value.shape[axis + 1 :])
    return reshape_to(layer, builder, value, shape, suffix)


def split_of(
    layer: Layer, builder: Builder, value: Value, axis: int, sizes: Sequence[int]
) -> tuple[Value | str, ...]:
    """Consecutive parts along one axis; '' for those that nothing reads."""
    if sum(sizes) != value.shape[axis]:
        raise RefusalError(f"parts of {list(sizes)} do not add up to {value.shape[axis]}")
    results: list[Value | str] = []
    start = 0
    for index, size in enumerate(sizes):
        suffix = str(index) if len(sizes) > 1 else ""
        used = index < len(layer.outputs) and layer.outputs[index] != ""
        end = start + size
        results.append(part_of(layer, builder, value, axis, start, end, suffix) if used else "")
        start = end
    return tuple(results)


def concat_of(
    layer: Layer, builder: Builder, values: Sequence[Value], axis: int, suffix: str = ""
) -> Value:
    """Joined along one of the source's axes."""
    if axis > 0 and all(v.shape[:1] == (1,) for v in values):
        names = [builder.full(v, layer) for v in values]
        x = builder.emit(layer, Op.CONCAT, names, ConcatAttrs(axis), suffix)
        return Value(x, builder.shape(x))
    names = [lifted(layer, builder, v) for v in values]
    attrs = ConcatAttrs(axis + 1)
    return lowered(layer, builder, builder.emit(layer, Op.CONCAT, names, attrs, suffix))


def expanded(layer: Layer, builder: Builder, value: Value, shape: Shape) -> Value:
    """Repeated along axes of 1 and along new ones in front; the tensor keeps a 1 there until a
    layer reads it that does not broadcast."""
    stored = builder.shape(value.tensor)
    own = stored[len(stored) - len(value.shape) :]
    axes = (*(1,) * (len(shape) - len(own)), *own)
    front = () if shape[:1] == (1,) else (1,)
    x = builder.reshape(layer, value.tensor, (*front, *axes) or (1,), "unsqueezed")
    return Value(x, shape)


def tiled(layer: Layer, builder: Builder, value: Value, repeats: Sequence[int]) -> Value:
    """So many copies along each of the source's axes."""
    if len(repeats) != len(value.shape) or min(repeats, default=1) < 1:
        raise RefusalError(f"{list(repeats)} copies do not fit {list(value.shape)}")
    x = lifted(layer, builder, value)
    for axis, count in enumerate(repeats):
        if count > 1:
            x = builder.repeat(layer, x, axis + 1, count)
    return lowered(layer, builder, x)
