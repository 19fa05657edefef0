"""MATMUL: the ends of a sum are the sums of the ends of its products."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.ir.ops.matmul import depth
from tinyflow.quantize.fixed_point import requantize_by
from tinyflow.quantize.intervals.channel_range import ChannelRange
from tinyflow.quantize.site import Site


def matmul_range(site: Site, a: ChannelRange, b: ChannelRange) -> ChannelRange:
    """Exact where the elements of both operands are independent."""
    form: Any = site.node.integer
    attrs: Any = site.node.attrs
    k = depth(attrs, site.operands[0].shape)
    zero_a, zero_b = (t.params.zero_point for t in site.operands)
    # As [m, k, p], with 1 for axes along which an operand's range does not change.
    shape_a = (-1, 1, 1) if attrs.transpose_a else (1, -1, 1)
    shape_b = (1, -1, 1) if attrs.transpose_b else (1, 1, -1)
    corners = [
        (p.reshape(shape_a) - zero_a) * (q.reshape(shape_b) - zero_b)
        for p in (a.lo, a.hi)
        for q in (b.lo, b.hi)
    ]
    ends = []
    for end in (np.min, np.max):
        products = end(corners, axis=0)
        sums = products.sum(axis=1) * (k // products.shape[1])
        ends.append(end(sums, axis=0))
    zero = site.result.params.zero_point
    codes = ChannelRange(*ends).mapped(
        lambda sums: requantize_by(sums, form.output, site.rounding) + zero
    )
    return codes.spread(site.result.shape[-1]).clipped(form.lo, form.hi)
