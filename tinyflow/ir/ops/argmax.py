"""ARGMAX: the index of the largest channel; of equal ones the lowest."""

from __future__ import annotations

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spec import OpSpec
from tinyflow.ir.tensor import Shape


def infer(attrs: Attrs, x: Shape) -> Shape:
    """x [..., c] -> [..., 1]."""
    return (*x[:-1], 1)


def evaluate(attrs: Attrs, x: np.ndarray) -> np.ndarray:
    return np.argmax(x, axis=-1, keepdims=True).astype(x.dtype)


SPEC = OpSpec(Op.ARGMAX, Attrs, ("x",), infer, evaluate)
