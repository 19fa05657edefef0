"""SIGMOID: ``1 / (1 + exp(-x))``."""

from __future__ import annotations

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spec import OpSpec, same_shape
from tinyflow.ir.quant_params import QuantParams


def evaluate(attrs: Attrs, x: np.ndarray) -> np.ndarray:
    # exp of a non-positive number cannot overflow.
    tail = np.exp(-np.abs(x))
    return (np.where(x >= 0, 1.0, tail) / (1.0 + tail)).astype(x.dtype)


SPEC = OpSpec(
    Op.SIGMOID,
    Attrs,
    ("x",),
    same_shape,
    evaluate,
    output_params=QuantParams.per_tensor(1 / 256, -128),
    unary=True,
    in_place=True,
)
