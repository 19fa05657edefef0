"""MAXIMUM and MINIMUM: each end is the greater, or the lesser, of the operands' ends."""

from __future__ import annotations

from tinyflow.ir import OPS
from tinyflow.quantize.intervals.channel_range import ChannelRange
from tinyflow.quantize.site import Site


def extremum_range(site: Site, a: ChannelRange, b: ChannelRange) -> ChannelRange:
    channels = site.result.shape[-1]
    a, b = a.spread(channels), b.spread(channels)
    node = site.node
    choose = OPS[node.op].evaluate
    return ChannelRange(choose(node.attrs, a.lo, b.lo), choose(node.attrs, a.hi, b.hi))
