"""MAX_POOL and AVERAGE_POOL: neither leaves the range of its input, then comes a clamp."""

from __future__ import annotations

from typing import Any

from tinyflow.quantize.intervals.channel_range import ChannelRange
from tinyflow.quantize.site import Site


def pool_range(site: Site, x: ChannelRange) -> ChannelRange:
    form: Any = site.node.integer
    return x.clipped(form.lo, form.hi)
