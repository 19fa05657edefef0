"""The activation that a layer applies to its own result."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Clamp:
    """``min(max(x, lo), hi)``: ReLU is (0, inf), ReLU6 is (0, 6), no activation is (-inf, inf)."""

    lo: float = -math.inf
    hi: float = math.inf

    def __post_init__(self) -> None:
        if not self.lo <= self.hi:
            raise ValueError(f"clamp bounds are out of order: {self.lo} > {self.hi}")

    @property
    def is_identity(self) -> bool:
        return self.lo == -math.inf and self.hi == math.inf

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return x if self.is_identity else np.clip(x, np.float32(self.lo), np.float32(self.hi))

    def apply(self, x: np.ndarray) -> None:
        """Clamps ``x`` where it lies."""
        if self.lo > -math.inf:
            np.maximum(x, x.dtype.type(self.lo), out=x)
        if self.hi < math.inf:
            np.minimum(x, x.dtype.type(self.hi), out=x)

    def then(self, after: Clamp) -> Clamp:
        """The one clamp that equals this one followed by ``after``."""
        lo = min(max(self.lo, after.lo), after.hi)
        return Clamp(lo, max(lo, min(self.hi, after.hi)))

    def __str__(self) -> str:
        names = {(0.0, math.inf): "relu", (0.0, 6.0): "relu6", (-math.inf, math.inf): "none"}
        return names.get((self.lo, self.hi), f"clamp[{self.lo:g}, {self.hi:g}]")


NO_CLAMP = Clamp()
RELU = Clamp(0.0, math.inf)
RELU6 = Clamp(0.0, 6.0)
