"""PAD: a constant border; in int8 the value 0 is the zero point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spatial import Pair
from tinyflow.ir.ops.spec import OpSpec, ShapeError
from tinyflow.ir.tensor import Shape


@dataclass(frozen=True)
class PadAttrs(Attrs):
    """``pads`` holds (before, after) for every axis, none negative, none on the batch axis."""

    pads: tuple[Pair, ...]
    value: float = 0.0


def infer(attrs: PadAttrs, x: Shape) -> Shape:
    if len(attrs.pads) != len(x) or attrs.pads[0] != (0, 0):
        raise ShapeError(f"the pads {attrs.pads} do not fit a tensor {list(x)}")
    if any(before < 0 or after < 0 for before, after in attrs.pads):
        raise ShapeError(f"the pads {attrs.pads} are negative: that is a slice")
    return tuple(d + before + after for d, (before, after) in zip(x, attrs.pads, strict=True))


def evaluate(attrs: PadAttrs, x: np.ndarray) -> np.ndarray:
    return np.pad(x, attrs.pads, constant_values=attrs.value)


SPEC = OpSpec(Op.PAD, PadAttrs, ("x",), infer, evaluate, same_params=True)
