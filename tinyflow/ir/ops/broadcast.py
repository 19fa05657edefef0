"""Shared by ADD, SUB and MUL."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyflow.ir.clamp import NO_CLAMP, Clamp
from tinyflow.ir.node import Attrs
from tinyflow.ir.ops.spec import ShapeError
from tinyflow.ir.tensor import Shape


@dataclass(frozen=True)
class BinaryAttrs(Attrs):
    clamp: Clamp = NO_CLAMP


def infer_broadcast(attrs: BinaryAttrs, a: Shape, b: Shape) -> Shape:
    """a and b broadcast as in NumPy."""
    try:
        return tuple(int(d) for d in np.broadcast_shapes(a, b))
    except ValueError:
        raise ShapeError(f"the shapes {list(a)} and {list(b)} do not broadcast") from None
