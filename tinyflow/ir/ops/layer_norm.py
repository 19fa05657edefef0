"""LAYER_NORM: each position brought to mean 0 and variance 1 over its channels (last axis)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spec import OpSpec, ShapeError
from tinyflow.ir.tensor import Shape


@dataclass(frozen=True)
class LayerNormAttrs(Attrs):
    """``epsilon`` is added to the variance."""

    epsilon: float = 1e-5


def infer(attrs: LayerNormAttrs, x: Shape, *affine: Shape) -> Shape:
    """x [..., c] with gamma and beta of [c]."""
    if len(x) < 2:
        raise ShapeError(f"it needs a batch axis and channels, not {list(x)}")
    if any(p != (x[-1],) for p in affine):
        raise ShapeError(f"its parameters {[list(p) for p in affine]} do not fit {list(x)}")
    return x


def evaluate(
    attrs: LayerNormAttrs,
    x: np.ndarray,
    gamma: np.ndarray | None = None,
    beta: np.ndarray | None = None,
) -> np.ndarray:
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = np.square(centred).mean(axis=-1, keepdims=True)
    y = centred / np.sqrt(variance + np.asarray(attrs.epsilon, x.dtype))
    if gamma is not None:
        y = y * gamma.astype(x.dtype)
    if beta is not None:
        y = y + beta.astype(x.dtype)
    return y


SPEC = OpSpec(
    Op.LAYER_NORM,
    LayerNormAttrs,
    ("x", "gamma?", "beta?"),
    infer,
    evaluate,
    real_constants=True,
    in_place=True,
)
