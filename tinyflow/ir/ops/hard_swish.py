"""HARD_SWISH: ``x * clip(x + 3, 0, 6) / 6``."""

from __future__ import annotations

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spec import OpSpec, same_shape


def evaluate(attrs: Attrs, x: np.ndarray) -> np.ndarray:
    return x * np.clip(x + 3, 0, 6) / 6


SPEC = OpSpec(Op.HARD_SWISH, Attrs, ("x",), same_shape, evaluate, unary=True, in_place=True)
