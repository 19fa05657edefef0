"""POWER: ``x ** exponent`` for a constant exponent, such as 0.5 (square root) or -1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spec import OpSpec, same_shape


@dataclass(frozen=True)
class PowerAttrs(Attrs):
    exponent: float


def evaluate(attrs: PowerAttrs, x: np.ndarray) -> np.ndarray:
    return power(x, attrs.exponent)


def power(x: np.ndarray, exponent: float) -> np.ndarray:
    """``x ** exponent``; the exponents that networks use without a call of pow."""
    if exponent == 2:
        return x * x
    if exponent == 0.5:
        return np.sqrt(x)
    return np.power(x, np.asarray(exponent, dtype=x.dtype))


SPEC = OpSpec(Op.POWER, PowerAttrs, ("x",), same_shape, evaluate, unary=True, in_place=True)
