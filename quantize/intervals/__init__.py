"""Interval analysis: which codes and which sums of products a quantized graph can reach at all."""

from __future__ import annotations

from tinyflow.quantize.intervals.accumulate import accumulator_range
from tinyflow.quantize.intervals.analysis import TRANSFERS, channel_ranges
from tinyflow.quantize.intervals.channel_range import ChannelRange

__all__ = ["TRANSFERS", "ChannelRange", "accumulator_range", "channel_ranges"]
