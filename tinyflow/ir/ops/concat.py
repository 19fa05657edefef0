"""CONCAT: tensors joined along one axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spec import OpSpec, ShapeError
from tinyflow.ir.tensor import Shape


@dataclass(frozen=True)
class ConcatAttrs(Attrs):
    """``axis`` is non-negative and never the batch axis."""

    axis: int


def infer(attrs: ConcatAttrs, *shapes: Shape) -> Shape:
    first = shapes[0]
    if not 0 < attrs.axis < len(first):
        raise ShapeError(f"the axis {attrs.axis} of a tensor {list(first)} cannot be joined")
    for shape in shapes[1:]:
        rest = [d for i, d in enumerate(shape) if i != attrs.axis]
        if rest != [d for i, d in enumerate(first) if i != attrs.axis]:
            raise ShapeError(f"{list(first)} and {list(shape)} do not join on axis {attrs.axis}")
    total = sum(shape[attrs.axis] for shape in shapes)
    return (*first[: attrs.axis], total, *first[attrs.axis + 1 :])


def evaluate(attrs: ConcatAttrs, *arrays: np.ndarray) -> np.ndarray:
    batch = max(a.shape[0] for a in arrays)
    full = [np.broadcast_to(a, (batch, *a.shape[1:])) for a in arrays]
    return np.concatenate(full, axis=attrs.axis)


SPEC = OpSpec(Op.CONCAT, ConcatAttrs, ("x*",), infer, evaluate, same_params=True)
