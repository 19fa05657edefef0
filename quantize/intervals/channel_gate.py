"""CHANNEL_GATE: for every code of the gate, a line whose ends lie at the ends of its input."""

from __future__ import annotations

import numpy as np

from tinyflow.quantize.intervals.channel_range import ChannelRange
from tinyflow.quantize.reference.channel_gate import gated
from tinyflow.quantize.site import Site


def channel_gate_range(
    site: Site, x: ChannelRange, gate: ChannelRange, scale: ChannelRange, shift: ChannelRange
) -> ChannelRange:
    """Exact: both roundings of a line's sum rise or fall with the input, not with the gate."""
    gates = np.arange(gate.lo.min(), gate.hi.max() + 1)[:, None]
    ends = np.stack([gated(site, end, gates) for end in (x.lo, x.hi)])
    reached = (gates >= gate.lo) & (gates <= gate.hi)
    return ChannelRange(
        np.where(reached, ends, np.int64(127)).min(axis=(0, 1)),
        np.where(reached, ends, np.int64(-128)).max(axis=(0, 1)),
    )
