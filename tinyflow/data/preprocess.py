"""From raw pixels to the numbers that a network was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyflow.errors import DataError


@dataclass(frozen=True)
class Preprocess:
    """``real = (pixel * scale - mean) / std``, with one mean and std, or one per channel.

    It applies to pixels only: picture files and uint8 arrays. Float data are taken as they are.
    """

    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    scale: float = 1.0

    def __post_init__(self) -> None:
        if any(value == 0.0 for value in self.std):
            raise DataError("a standard deviation of 0 cannot be divided by", "check --std")

    def __call__(self, pixels: np.ndarray, channel_axis: int) -> np.ndarray:
        """float32 reals of uint8 ``pixels`` [n, ...]."""
        real = pixels.astype(np.float32) * np.float32(self.scale)
        if self.mean:
            real -= self._along(self.mean, "mean", real, channel_axis)
        if self.std:
            real /= self._along(self.std, "std", real, channel_axis)
        return real

    def _along(
        self, values: tuple[float, ...], what: str, real: np.ndarray, axis: int
    ) -> np.ndarray:
        if len(values) not in (1, real.shape[axis]):
            raise DataError(
                f"--{what} has {len(values)} values, but the input has {real.shape[axis]} channels",
                f"give one {what}, or one per channel",
            )
        shape = [1] * real.ndim
        shape[axis] = len(values)
        return np.asarray(values, dtype=np.float32).reshape(shape)

    def to_json(self) -> dict[str, Any]:
        return {"mean": list(self.mean), "std": list(self.std), "scale": self.scale}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Preprocess:
        return cls(tuple(document["mean"]), tuple(document["std"]), float(document["scale"]))
