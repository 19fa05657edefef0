"""MEAN: the ends of the sum are the sums of the ends."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.quantize.fixed_point import requantize_by
from tinyflow.quantize.forms.activation import code_range
from tinyflow.quantize.intervals.channel_range import ChannelRange
from tinyflow.quantize.site import Site


def mean_range(site: Site, x: ChannelRange) -> ChannelRange:
    form: Any = site.node.integer
    attrs: Any = site.node.attrs
    rank = len(site.input.shape)
    if rank - 1 in attrs.axes:
        pixels = form.count // x.channels
        totals = x.mapped(lambda ends: np.array([ends.sum() * pixels]))
        totals = totals.spread(site.result.shape[-1])
    else:
        totals = x.mapped(lambda ends: ends * form.count)
    offset = form.count * site.input.params.zero_point
    zero = site.result.params.zero_point
    codes = totals.mapped(
        lambda ends: requantize_by(ends - offset, form.output, site.rounding) + zero
    )
    return codes.clipped(*code_range(site.result))
