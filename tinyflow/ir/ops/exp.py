"""EXP: ``e ** x``."""

from __future__ import annotations

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spec import OpSpec, same_shape


def evaluate(attrs: Attrs, x: np.ndarray) -> np.ndarray:
    return np.exp(x)


SPEC = OpSpec(Op.EXP, Attrs, ("x",), same_shape, evaluate, unary=True, in_place=True)
