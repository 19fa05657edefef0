"""LEAKY_RELU: ``x`` where positive, ``alpha * x`` elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spec import OpSpec, same_shape


@dataclass(frozen=True)
class LeakyReluAttrs(Attrs):
    alpha: float = 0.01


def evaluate(attrs: LeakyReluAttrs, x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, np.asarray(attrs.alpha, dtype=x.dtype) * x)


SPEC = OpSpec(
    Op.LEAKY_RELU, LeakyReluAttrs, ("x",), same_shape, evaluate, unary=True, in_place=True
)
