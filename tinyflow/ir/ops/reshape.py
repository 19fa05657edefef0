"""RESHAPE: the same elements in the same order under another shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spec import OpSpec, ShapeError
from tinyflow.ir.tensor import Shape


@dataclass(frozen=True)
class ReshapeAttrs(Attrs):
    """``shape`` is complete: the importer resolves -1 and 0. Its first entry is the batch, 1."""

    shape: Shape


def infer(attrs: ReshapeAttrs, x: Shape) -> Shape:
    if np.prod(attrs.shape, dtype=np.int64) != np.prod(x, dtype=np.int64):
        raise ShapeError(f"{list(x)} cannot be reshaped to {list(attrs.shape)}")
    return attrs.shape


def evaluate(attrs: ReshapeAttrs, x: np.ndarray) -> np.ndarray:
    if x.size == np.prod(attrs.shape, dtype=np.int64):
        return x.reshape(attrs.shape)
    return x.reshape(x.shape[0], *attrs.shape[1:])


SPEC = OpSpec(Op.RESHAPE, ReshapeAttrs, ("x",), infer, evaluate, same_params=True, in_place=True)
