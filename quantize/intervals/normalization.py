"""SOFTMAX, LAYER_NORM, L2_NORM: anything that their output can hold.

Every result depends on all channels, and nothing would be gained.
"""

from __future__ import annotations

from tinyflow.quantize.intervals.channel_range import ChannelRange
from tinyflow.quantize.site import Site


def normalization_range(site: Site, *operands: ChannelRange) -> ChannelRange:
    return ChannelRange.full(site.result)
