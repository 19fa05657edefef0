"""LOG: the natural logarithm."""

from __future__ import annotations

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spec import OpSpec, same_shape


def evaluate(attrs: Attrs, x: np.ndarray) -> np.ndarray:
    return np.log(x)


SPEC = OpSpec(Op.LOG, Attrs, ("x",), same_shape, evaluate, unary=True, in_place=True)
