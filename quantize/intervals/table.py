"""Every operation that is a function of one code: the ends of a stretch of its table."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.quantize.forms.activation import code_range
from tinyflow.quantize.intervals.channel_range import ChannelRange
from tinyflow.quantize.site import Site


def table_range(site: Site, x: ChannelRange) -> ChannelRange:
    form: Any = site.node.integer
    table = form.table.astype(np.int64)
    lowest = code_range(site.input)[0]
    stretches = [table[a - lowest : b - lowest + 1] for a, b in zip(x.lo, x.hi, strict=True)]
    return ChannelRange(
        np.array([codes.min() for codes in stretches]),
        np.array([codes.max() for codes in stretches]),
    )
