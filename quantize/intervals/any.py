"""Operations of which no bound is known but that of their result's type."""

from __future__ import annotations

from tinyflow.quantize.intervals.channel_range import ChannelRange
from tinyflow.quantize.site import Site


def any_range(site: Site, *operands: ChannelRange) -> ChannelRange:
    return ChannelRange.full(site.result)
