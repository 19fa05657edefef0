"""BATCH_NORM: inference form, per channel on the last axis; passes fold it away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spec import OpSpec, ShapeError
from tinyflow.ir.tensor import Shape


@dataclass(frozen=True)
class BatchNormAttrs(Attrs):
    epsilon: float = 1e-5


def infer(attrs: BatchNormAttrs, x: Shape, *params: Shape) -> Shape:
    """x [..., c] with gamma, beta, mean and variance of [c]."""
    if any(p != (x[-1],) for p in params):
        raise ShapeError(f"its parameters {[list(p) for p in params]} do not fit {list(x)}")
    return x


def scale_and_offset(
    attrs: BatchNormAttrs,
    gamma: np.ndarray,
    beta: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """``y = scale * x + offset`` in float64, [c] each."""
    scale = gamma.astype(np.float64) / np.sqrt(variance.astype(np.float64) + attrs.epsilon)
    return scale, beta.astype(np.float64) - scale * mean.astype(np.float64)


def evaluate(attrs: BatchNormAttrs, x: np.ndarray, *params: np.ndarray) -> np.ndarray:
    scale, offset = scale_and_offset(attrs, *params)
    return (x * scale.astype(x.dtype) + offset.astype(x.dtype)).astype(x.dtype)


SPEC = OpSpec(
    Op.BATCH_NORM, BatchNormAttrs, ("x", "gamma", "beta", "mean", "variance"), infer, evaluate
)
