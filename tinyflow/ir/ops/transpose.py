"""TRANSPOSE: the axes in another order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spec import OpSpec, ShapeError
from tinyflow.ir.tensor import Shape


@dataclass(frozen=True)
class TransposeAttrs(Attrs):
    """Axis ``i`` of the result is axis ``perm[i]`` of the input."""

    perm: tuple[int, ...]


def infer(attrs: TransposeAttrs, x: Shape) -> Shape:
    if sorted(attrs.perm) != list(range(len(x))):
        raise ShapeError(f"{list(attrs.perm)} does not permute the axes of {list(x)}")
    return tuple(x[axis] for axis in attrs.perm)


def evaluate(attrs: TransposeAttrs, x: np.ndarray) -> np.ndarray:
    return x.transpose(attrs.perm)


SPEC = OpSpec(Op.TRANSPOSE, TransposeAttrs, ("x",), infer, evaluate, same_params=True)
