"""The affine map between integer codes and real values."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tinyflow.ir.dtype import DType


def round_half_away(x: np.ndarray) -> np.ndarray:
    """Round to the nearest integer, ties away from zero, as C's ``round`` does."""
    return np.trunc(x + np.copysign(0.5, x))


@dataclass(frozen=True)
class QuantParams:
    """``real = scale * (code - zero_point)``.

    One scale for the whole tensor (``axis`` is None), or one per index along ``axis``.
    Scales are float32 values: multipliers are computed in float64 from exactly these, which
    is what keeps them equal to TFLite Micro's.
    """

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int | None = None

    def __post_init__(self) -> None:
        if len(self.scales) != len(self.zero_points) or not self.scales:
            raise ValueError("scales and zero points must have the same, non-zero length")
        if self.axis is None and len(self.scales) != 1:
            raise ValueError("a per-tensor quantization has exactly one scale")
        for scale in self.scales:
            if not (math.isfinite(scale) and scale > 0.0):
                raise ValueError(f"a scale must be positive and finite, not {scale!r}")
            if float(np.float32(scale)) != scale:
                raise ValueError(f"a scale must be a float32 value, not {scale!r}")

    @classmethod
    def per_tensor(cls, scale: float, zero_point: int = 0) -> QuantParams:
        return cls((float(np.float32(scale)),), (int(zero_point),))

    @classmethod
    def per_channel(cls, scales: np.ndarray, axis: int) -> QuantParams:
        """Symmetric, as weights are: every zero point is 0."""
        values = tuple(float(np.float32(s)) for s in scales)
        return cls(values, (0,) * len(values), axis)

    @property
    def scale(self) -> float:
        """The scale of a per-tensor quantization."""
        if self.axis is not None:
            raise ValueError("a per-channel quantization has no single scale")
        return self.scales[0]

    @property
    def zero_point(self) -> int:
        """The zero point of a per-tensor quantization."""
        if self.axis is not None:
            raise ValueError("a per-channel quantization has no single zero point")
        return self.zero_points[0]

    def _broadcast(self, values: tuple[float, ...] | tuple[int, ...], rank: int) -> np.ndarray:
        array = np.asarray(values, dtype=np.float64)
        if self.axis is None:
            return array.reshape(())
        shape = [1] * rank
        shape[self.axis] = len(values)
        return array.reshape(shape)

    def quantize(self, real: np.ndarray, dtype: DType) -> np.ndarray:
        """Codes of ``real``, rounded half away from zero and saturated to ``dtype``."""
        info = np.iinfo(dtype.numpy)
        scale = self._broadcast(self.scales, real.ndim).astype(np.float32)
        # TFLite divides in float32, and a tie must fall on the same side as it does there.
        codes = round_half_away(np.asarray(real, dtype=np.float32) / scale).astype(np.float64)
        codes += self._broadcast(self.zero_points, real.ndim)
        return np.clip(codes, info.min, info.max).astype(dtype.numpy)

    def dequantize(self, codes: np.ndarray) -> np.ndarray:
        """float32 reals of integer ``codes``."""
        offset = codes.astype(np.float64) - self._broadcast(self.zero_points, codes.ndim)
        return (offset * self._broadcast(self.scales, codes.ndim)).astype(np.float32)
