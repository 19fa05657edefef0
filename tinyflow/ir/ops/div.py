"""DIV: element by element, with broadcasting. Only passes know it: int8 has no quotient."""

from __future__ import annotations

import numpy as np

from tinyflow.ir.node import Op
from tinyflow.ir.ops.broadcast import BinaryAttrs, infer_broadcast
from tinyflow.ir.ops.spec import OpSpec


def evaluate(attrs: BinaryAttrs, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return attrs.clamp(a / b)


SPEC = OpSpec(Op.DIV, BinaryAttrs, ("a", "b"), infer_broadcast, evaluate)
