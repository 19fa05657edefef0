"""PRELU: ``x`` where positive, ``slope * x`` elsewhere; the slope broadcasts to ``x``."""

from __future__ import annotations

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.broadcast import BinaryAttrs, infer_broadcast
from tinyflow.ir.ops.spec import OpSpec, ShapeError
from tinyflow.ir.tensor import Shape


def infer(attrs: Attrs, x: Shape, slope: Shape) -> Shape:
    """The slope never makes the result larger than ``x``."""
    if infer_broadcast(BinaryAttrs(), x, slope) != x:
        raise ShapeError(f"slopes {list(slope)} do not broadcast to {list(x)}")
    return x


def evaluate(attrs: Attrs, x: np.ndarray, slope: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, slope * x)


SPEC = OpSpec(Op.PRELU, Attrs, ("x", "slope"), infer, evaluate, in_place=True)
