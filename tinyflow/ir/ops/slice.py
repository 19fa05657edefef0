"""SLICE: a strided box cut out of a tensor; a split is several of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spec import OpSpec, ShapeError
from tinyflow.ir.tensor import Shape


@dataclass(frozen=True)
class SliceAttrs(Attrs):
    """Per axis, ``range(begin, end, stride)`` with 0 <= begin < end <= size and stride >= 1.

    The batch axis is taken whole.
    """

    begin: tuple[int, ...]
    end: tuple[int, ...]
    strides: tuple[int, ...]


def infer(attrs: SliceAttrs, x: Shape) -> Shape:
    if not len(attrs.begin) == len(attrs.end) == len(attrs.strides) == len(x):
        raise ShapeError(f"a slice of {len(attrs.begin)} axes does not fit {list(x)}")
    result = []
    for size, b, e, s in zip(x, attrs.begin, attrs.end, attrs.strides, strict=True):
        if not (0 <= b < e <= size and s >= 1):
            raise ShapeError(f"the slice {b}:{e}:{s} of an axis of {size} is empty or outside")
        result.append(-(-(e - b) // s))
    return tuple(result)


def evaluate(attrs: SliceAttrs, x: np.ndarray) -> np.ndarray:
    boxes = zip(attrs.begin[1:], attrs.end[1:], attrs.strides[1:], strict=True)
    return x[(slice(None), *(slice(b, e, s) for b, e, s in boxes))]


SPEC = OpSpec(Op.SLICE, SliceAttrs, ("x",), infer, evaluate, same_params=True)
