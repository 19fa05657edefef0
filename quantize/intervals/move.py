"""Operations that move codes, and RESIZE_BILINEAR, whose mixtures stay between their parts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyflow.quantize.intervals.channel_range import ChannelRange, channel_count
from tinyflow.quantize.site import Site


def same_range(site: Site, x: ChannelRange) -> ChannelRange:
    return x


def reshape_range(site: Site, x: ChannelRange) -> ChannelRange:
    """Element ``i`` lies in channel ``i % channels`` before and after."""
    before, after = x.channels, channel_count(site.result)
    period = np.arange(math.lcm(before, after))
    lo, hi = x.lo[period % before].reshape(-1, after), x.hi[period % before].reshape(-1, after)
    return ChannelRange(lo.min(axis=0), hi.max(axis=0))


def transpose_range(site: Site, x: ChannelRange) -> ChannelRange:
    attrs: Any = site.node.attrs
    if attrs.perm[-1] == len(attrs.perm) - 1:
        return x
    return x.merged(site.result.shape[-1])


def concat_range(site: Site, *parts: ChannelRange) -> ChannelRange:
    attrs: Any = site.node.attrs
    if attrs.axis == len(site.result.shape) - 1:
        return ChannelRange(
            np.concatenate([part.lo for part in parts]),
            np.concatenate([part.hi for part in parts]),
        )
    result = parts[0]
    for part in parts[1:]:
        result = result.union(part)
    return result


def slice_range(site: Site, x: ChannelRange) -> ChannelRange:
    attrs: Any = site.node.attrs
    channels = slice(attrs.begin[-1], attrs.end[-1], attrs.strides[-1])
    return x.mapped(lambda ends: ends[channels])


def pad_range(site: Site, x: ChannelRange) -> ChannelRange:
    attrs: Any = site.node.attrs
    form: Any = site.node.integer
    if any(sum(pads) for pads in attrs.pads[:-1]):
        border = np.full(x.channels, form.value)
        x = x.union(ChannelRange(border, border))
    return x.mapped(lambda ends: np.pad(ends, attrs.pads[-1], constant_values=form.value))
