"""An interval of integers for each channel of a tensor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinyflow.ir import Tensor
from tinyflow.quantize.forms.activation import code_range


@dataclass(frozen=True, eq=False)
class ChannelRange:
    """The least and the greatest integer of each channel, the last axis: int64 [channels] each.

    Both ends belong to it. A tensor without axes has one channel.
    """

    lo: np.ndarray
    hi: np.ndarray

    def __post_init__(self) -> None:
        if self.lo.shape != self.hi.shape or self.lo.ndim != 1:
            raise ValueError(f"the ends have the shapes {self.lo.shape} and {self.hi.shape}")
        if (self.lo > self.hi).any():
            raise ValueError("a range is empty")

    @classmethod
    def full(cls, tensor: Tensor) -> ChannelRange:
        """All that the tensor's integer type can hold."""
        lo, hi = code_range(tensor)
        channels = channel_count(tensor)
        return cls(np.full(channels, lo, np.int64), np.full(channels, hi, np.int64))

    @classmethod
    def of_constant(cls, tensor: Tensor) -> ChannelRange:
        """What a constant holds."""
        rows = tensor.value.reshape(-1, channel_count(tensor)).astype(np.int64)
        return cls(rows.min(axis=0), rows.max(axis=0))

    @property
    def channels(self) -> int:
        return len(self.lo)

    @property
    def constant(self) -> np.ndarray:
        """Which channels hold one and the same code everywhere: bool [channels]."""
        return self.lo == self.hi

    def mapped(self, function: Callable[[np.ndarray], np.ndarray]) -> ChannelRange:
        """Both ends through a function that never falls."""
        return ChannelRange(function(self.lo), function(self.hi))

    def clipped(self, lo: int, hi: int) -> ChannelRange:
        return self.mapped(lambda ends: np.clip(ends, lo, hi))

    def spread(self, channels: int) -> ChannelRange:
        """Broadcast from one channel to several."""
        return self.mapped(lambda ends: np.broadcast_to(ends, (channels,)).copy())

    def merged(self, channels: int) -> ChannelRange:
        """Every channel of ``channels`` may hold what any channel here does."""
        return ChannelRange(np.full(channels, self.lo.min()), np.full(channels, self.hi.max()))

    def union(self, other: ChannelRange) -> ChannelRange:
        return ChannelRange(np.minimum(self.lo, other.lo), np.maximum(self.hi, other.hi))


def channel_count(tensor: Tensor) -> int:
    return tensor.shape[-1] if tensor.shape else 1
