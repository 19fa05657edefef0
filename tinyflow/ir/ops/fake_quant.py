"""FAKE_QUANT: each element as an int8 code can hold it, still in float.

The scales that a model was quantized with come into the graph this way: a source's quantize and
dequantize are one such node. Quantization gives its scale to the tensor and takes the node out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spec import OpSpec, same_shape
from tinyflow.ir.quant_params import QuantParams

CODE_MIN, CODE_MAX = -128, 127


@dataclass(frozen=True)
class FakeQuantAttrs(Attrs):
    """``scale * (code - zero_point)`` with codes from ``lo`` to ``hi``, both within int8."""

    scale: float
    zero_point: int
    lo: int = CODE_MIN
    hi: int = CODE_MAX

    def __post_init__(self) -> None:
        if not (math.isfinite(self.scale) and self.scale > 0.0):
            raise ValueError(f"a scale must be positive and finite, not {self.scale!r}")
        if not CODE_MIN <= self.lo <= self.zero_point <= self.hi <= CODE_MAX:
            raise ValueError(f"{self.lo} <= {self.zero_point} <= {self.hi} must hold within int8")

    @property
    def params(self) -> QuantParams:
        return QuantParams.per_tensor(self.scale, self.zero_point)

    @property
    def is_narrow(self) -> bool:
        """Whether some int8 codes never occur."""
        return (self.lo, self.hi) != (CODE_MIN, CODE_MAX)


def evaluate(attrs: FakeQuantAttrs, x: np.ndarray) -> np.ndarray:
    """Rounded half to even, as the runtimes of ONNX and PyTorch do."""
    steps = np.clip(
        np.rint(x / attrs.scale), attrs.lo - attrs.zero_point, attrs.hi - attrs.zero_point
    )
    return np.asarray(steps * attrs.scale, dtype=x.dtype)


SPEC = OpSpec(
    Op.FAKE_QUANT, FakeQuantAttrs, ("x",), same_shape, evaluate, unary=True, in_place=True
)
