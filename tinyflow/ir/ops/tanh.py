"""TANH: the hyperbolic tangent."""

from __future__ import annotations

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spec import OpSpec, same_shape
from tinyflow.ir.quant_params import QuantParams


def evaluate(attrs: Attrs, x: np.ndarray) -> np.ndarray:
    return np.tanh(x)


SPEC = OpSpec(
    Op.TANH,
    Attrs,
    ("x",),
    same_shape,
    evaluate,
    output_params=QuantParams.per_tensor(1 / 128, 0),
    unary=True,
    in_place=True,
)
