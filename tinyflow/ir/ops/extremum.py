"""Shared by MAXIMUM and MINIMUM: the result is one of the operands, so all have one scale."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.broadcast import BinaryAttrs, infer_broadcast
from tinyflow.ir.ops.spec import OpSpec
from tinyflow.ir.tensor import Shape


def extremum(op: Op, choose: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> OpSpec:
    def infer(attrs: Attrs, a: Shape, b: Shape) -> Shape:
        return infer_broadcast(BinaryAttrs(), a, b)

    def evaluate(attrs: Attrs, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return choose(a, b)

    return OpSpec(op, Attrs, ("a", "b"), infer, evaluate, same_params=True, in_place=True)
