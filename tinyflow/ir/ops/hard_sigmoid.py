"""HARD_SIGMOID: ``clip(alpha * x + beta, 0, 1)``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spec import OpSpec, same_shape
from tinyflow.ir.quant_params import QuantParams


@dataclass(frozen=True)
class HardSigmoidAttrs(Attrs):
    """PyTorch's and MobileNetV3's form is alpha = 1/6, beta = 1/2."""

    alpha: float = 1 / 6
    beta: float = 0.5


def evaluate(attrs: HardSigmoidAttrs, x: np.ndarray) -> np.ndarray:
    return np.clip(attrs.alpha * x + attrs.beta, 0, 1).astype(x.dtype)


SPEC = OpSpec(
    Op.HARD_SIGMOID,
    HardSigmoidAttrs,
    ("x",),
    same_shape,
    evaluate,
    output_params=QuantParams.per_tensor(1 / 256, -128),
    unary=True,
    in_place=True,
)
