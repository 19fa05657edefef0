"""FULLY_CONNECTED: a matrix product with a constant, on the last axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyflow.ir.clamp import NO_CLAMP, Clamp
from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.products import multiply_rows
from tinyflow.ir.ops.spec import OpSpec, ShapeError, need_rank
from tinyflow.ir.tensor import Shape


@dataclass(frozen=True)
class FullyConnectedAttrs(Attrs):
    clamp: Clamp = NO_CLAMP


def infer(attrs: FullyConnectedAttrs, x: Shape, w: Shape, bias: Shape | None = None) -> Shape:
    """x [..., k], w [o, k], bias [o] -> [..., o]."""
    need_rank(w, 2, "weight")
    if not x or x[-1] != w[1]:
        raise ShapeError(f"an input {list(x)} does not fit a weight {list(w)}")
    if bias is not None and bias != (w[0],):
        raise ShapeError(f"its bias has the shape {list(bias)}, {w[0]} features leave")
    return (*x[:-1], w[0])


def evaluate(
    attrs: FullyConnectedAttrs, x: np.ndarray, w: np.ndarray, bias: np.ndarray | None = None
) -> np.ndarray:
    return multiply_rows(x, w, bias, attrs.clamp)


def macs(attrs: FullyConnectedAttrs, inputs: Sequence[Shape], output: Shape) -> int:
    return int(np.prod(output) * inputs[1][1])


SPEC = OpSpec(
    Op.FULLY_CONNECTED,
    FullyConnectedAttrs,
    ("x", "weight", "bias?"),
    infer,
    evaluate,
    macs,
    weight_axis=0,
)
