"""ATTENTION and CROSS_COVARIANCE: anything that their output can hold.

Means of values lie within the values' range, but one is rounded that depends on all of them, and
little would be gained.
"""

from __future__ import annotations

from tinyflow.quantize.intervals.channel_range import ChannelRange
from tinyflow.quantize.site import Site


def shares_range(site: Site, *operands: ChannelRange) -> ChannelRange:
    return ChannelRange.full(site.result)
