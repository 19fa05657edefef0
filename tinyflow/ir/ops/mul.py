"""MUL: element by element, with broadcasting."""

from __future__ import annotations

import numpy as np

from tinyflow.ir.node import Op
from tinyflow.ir.ops.broadcast import BinaryAttrs, infer_broadcast
from tinyflow.ir.ops.spec import OpSpec


def evaluate(attrs: BinaryAttrs, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return attrs.clamp(a * b)


SPEC = OpSpec(Op.MUL, BinaryAttrs, ("a", "b"), infer_broadcast, evaluate, in_place=True)
