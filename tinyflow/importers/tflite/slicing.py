"""The box that a STRIDED_SLICE cuts, from its operands and masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyflow.importers.tflite.flatbuffer import RawOperator
from tinyflow.importers.tflite.layer_error import LayerError


@dataclass(frozen=True)
class Box:
    """Per axis ``range(begin, end, stride)``; ``dropped`` axes are indexed, not sliced."""

    begin: tuple[int, ...]
    end: tuple[int, ...]
    strides: tuple[int, ...]
    dropped: frozenset[int]


def strided_box(
    op: RawOperator,
    shape: Sequence[int],
    begins: Sequence[int],
    ends: Sequence[int],
    strides: Sequence[int],
) -> Box:
    """Raises `LayerError` for masks and strides that TinyFlow does not know."""
    for key, what in (("ellipsisMask", "an ellipsis"), ("newAxisMask", "new axes")):
        if op.options.get(key):
            raise LayerError(f"its slice has {what}")
    if not len(begins) == len(ends) == len(strides) <= len(shape):
        raise LayerError(f"its slice of {len(begins)} axes does not fit {list(shape)}")
    begin_mask, end_mask, shrink_mask = (
        int(op.options.get(key) or 0) for key in ("beginMask", "endMask", "shrinkAxisMask")
    )
    begin, end, stride, dropped = [], [], [], set()
    for axis, size in enumerate(shape):
        b, e, s = 0, size, 1
        if axis < len(begins):
            bit = 1 << axis
            s = strides[axis]
            if s < 1:
                raise LayerError(f"its slice has the stride {s}")
            b = 0 if begin_mask & bit else _place(begins[axis], size)
            if shrink_mask & bit:
                dropped.add(axis)
                e, s = b + 1, 1
            elif not end_mask & bit:
                e = _place(ends[axis], size)
        begin.append(b)
        end.append(e)
        stride.append(s)
    return Box(tuple(begin), tuple(end), tuple(stride), frozenset(dropped))


def _place(position: int, size: int) -> int:
    """A position counted from the end where negative, kept within the axis."""
    return min(max(position + size if position < 0 else position, 0), size)
