"""MUL: the ends of a product are among the products of the ends."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.quantize.fixed_point import requantize_by
from tinyflow.quantize.intervals.channel_range import ChannelRange
from tinyflow.quantize.site import Site


def mul_range(site: Site, a: ChannelRange, b: ChannelRange) -> ChannelRange:
    form: Any = site.node.integer
    channels = site.result.shape[-1]
    zero_a, zero_b = (t.params.zero_point for t in site.operands)
    a, b = a.spread(channels), b.spread(channels)
    corners = [(p - zero_a) * (q - zero_b) for p in (a.lo, a.hi) for q in (b.lo, b.hi)]
    products = ChannelRange(np.min(corners, axis=0), np.max(corners, axis=0))
    zero = site.result.params.zero_point
    codes = products.mapped(lambda ends: requantize_by(ends, form.output, site.rounding) + zero)
    return codes.clipped(form.lo, form.hi)
