"""PRELU: each side of zero is a line, so the ends are among its values at the ends and at zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.quantize.intervals.channel_range import ChannelRange
from tinyflow.quantize.reference.prelu import prelu
from tinyflow.quantize.site import Site


def prelu_range(site: Site, x: ChannelRange, slope: ChannelRange) -> ChannelRange:
    channels = site.result.shape[-1]
    x, slope = x.spread(channels), slope.spread(channels)
    middle: Any = np.clip(site.input.params.zero_point, x.lo, x.hi)
    codes = [prelu(site, p, q) for p in (x.lo, middle, x.hi) for q in (slope.lo, slope.hi)]
    return ChannelRange(
        np.min(codes, axis=0).astype(np.int64), np.max(codes, axis=0).astype(np.int64)
    )
