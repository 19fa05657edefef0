"""MEAN: the average over whole axes, with an output scale of its own in int8."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spec import OpSpec, ShapeError
from tinyflow.ir.tensor import Shape


@dataclass(frozen=True)
class MeanAttrs(Attrs):
    """``axes`` are non-negative and never the batch axis."""

    axes: tuple[int, ...]
    keep_dims: bool = False


def infer(attrs: MeanAttrs, x: Shape) -> Shape:
    if not attrs.axes or any(not 0 < axis < len(x) for axis in attrs.axes):
        raise ShapeError(f"a mean over the axes {list(attrs.axes)} of {list(x)}")
    if attrs.keep_dims:
        return tuple(1 if i in attrs.axes else d for i, d in enumerate(x))
    return tuple(d for i, d in enumerate(x) if i not in attrs.axes)


def evaluate(attrs: MeanAttrs, x: np.ndarray) -> np.ndarray:
    return x.mean(axis=attrs.axes, keepdims=attrs.keep_dims, dtype=x.dtype)


SPEC = OpSpec(Op.MEAN, MeanAttrs, ("x",), infer, evaluate)
