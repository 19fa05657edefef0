"""L2_NORM: each position divided by the Euclidean norm over its channels (last axis)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spec import OpSpec, same_shape
from tinyflow.ir.quant_params import QuantParams


@dataclass(frozen=True)
class L2NormAttrs(Attrs):
    """``epsilon`` is the least norm by which is divided."""

    epsilon: float = 1e-12


def evaluate(attrs: L2NormAttrs, x: np.ndarray) -> np.ndarray:
    norm = np.sqrt(np.square(x).sum(axis=-1, keepdims=True))
    return x / np.maximum(norm, np.asarray(attrs.epsilon, x.dtype))


SPEC = OpSpec(
    Op.L2_NORM,
    L2NormAttrs,
    ("x",),
    same_shape,
    evaluate,
    output_params=QuantParams.per_tensor(1 / 128, 0),
    in_place=True,
)
