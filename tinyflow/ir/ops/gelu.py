"""GELU: ``x * Phi(x)`` with the distribution function of the normal distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.erf import erf
from tinyflow.ir.ops.spec import OpSpec, same_shape


@dataclass(frozen=True)
class GeluAttrs(Attrs):
    """``tanh`` takes ``Phi(x) = (1 + tanh(sqrt(2/pi) * (x + 0.044715 * x**3))) / 2``."""

    tanh: bool = False


def evaluate(attrs: GeluAttrs, x: np.ndarray) -> np.ndarray:
    if attrs.tanh:
        inner = np.asarray(math.sqrt(2 / math.pi), x.dtype) * (x + 0.044715 * x * x * x)
        doubled = 1 + np.tanh(inner)
    else:
        doubled = 1 + erf(x * np.asarray(math.sqrt(0.5), x.dtype))
    result: np.ndarray = 0.5 * x * doubled
    return result


SPEC = OpSpec(Op.GELU, GeluAttrs, ("x",), same_shape, evaluate, unary=True, in_place=True)
