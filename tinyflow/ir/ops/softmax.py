"""SOFTMAX: over the last axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spec import OpSpec, same_shape
from tinyflow.ir.quant_params import QuantParams

WIDE_OUTPUT = QuantParams.per_tensor(1 / 65536, -32768)
"""The quantization of an int16 output."""


@dataclass(frozen=True)
class SoftmaxAttrs(Attrs):
    """``softmax(beta * x)``."""

    beta: float = 1.0


def evaluate(attrs: SoftmaxAttrs, x: np.ndarray) -> np.ndarray:
    powers = np.exp(np.asarray(attrs.beta, dtype=x.dtype) * (x - x.max(axis=-1, keepdims=True)))
    return powers / powers.sum(axis=-1, keepdims=True)


SPEC = OpSpec(
    Op.SOFTMAX,
    SoftmaxAttrs,
    ("x",),
    same_shape,
    evaluate,
    output_params=QuantParams.per_tensor(1 / 256, -128),
    in_place=True,
)
