"""CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV_2D, FULLY_CONNECTED: sums of products.

The inputs of one sum are different elements, so the ends of the sum are the sums of the ends. A
tap outside the image adds nothing; which taps lie inside together is what `valid_taps` tells.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyflow.ir import Op
from tinyflow.quantize.fixed_point import requantize
from tinyflow.quantize.intervals.channel_range import ChannelRange
from tinyflow.quantize.intervals.valid_taps import valid_taps
from tinyflow.quantize.site import Site


def accumulate_range(
    site: Site, x: ChannelRange, weight: ChannelRange, bias: ChannelRange | None = None
) -> ChannelRange:
    form: Any = site.node.integer
    zero = site.result.params.zero_point
    sums = accumulator_range(site, x)
    codes = sums.mapped(
        lambda ends: requantize(ends, form.multiplier, form.shift, site.rounding) + zero
    )
    return codes.clipped(form.lo, form.hi)


def accumulator_range(site: Site, x: ChannelRange) -> ChannelRange:
    """The sums before requantization, bias included, of each output channel.

    ``x`` is the range of the input's codes. The ends are reached wherever those of ``x`` are, in
    all elements independently.
    """
    rows, columns = valid_taps(site)
    lowest, highest = _TAP_ENDS[site.node.op](centred_weight(site), *centred_ends(site, x))
    ends = []
    for taps, least in ((lowest, np.min), (highest, np.max)):
        sums = np.einsum("okl,rk,pl->orp", taps, rows.astype(np.int64), columns.astype(np.int64))
        ends.append(least(sums, axis=(1, 2)))
    bias = site.operands[2].value.astype(np.int64) if len(site.operands) > 2 else 0
    return ChannelRange(ends[0] + bias, ends[1] + bias)


def centred_weight(site: Site) -> np.ndarray:
    """The weight minus its zero point, int64, as [o, kh, kw, c], or [kh, kw, o] if depthwise."""
    form: Any = site.node.integer
    weight = site.operands[1].value.astype(np.int64) - form.weight_zero
    if site.node.op is Op.FULLY_CONNECTED:
        return weight[:, None, None, :]
    return weight[0] if site.node.op is Op.DEPTHWISE_CONV_2D else weight


def centred_ends(site: Site, x: ChannelRange) -> tuple[np.ndarray, np.ndarray]:
    zero = site.input.params.zero_point
    return x.lo - zero, x.hi - zero


def _dense(w: np.ndarray, lo: np.ndarray, hi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the sum over the channels of each tap, [o, kh, kw]; grouped where w is narrower."""
    groups = len(lo) // w.shape[3]
    step = len(w) // groups
    low, high = np.empty(w.shape[:3], np.int64), np.empty(w.shape[:3], np.int64)
    for g in range(groups):
        outs, ins = slice(g * step, (g + 1) * step), slice(g * w.shape[3], (g + 1) * w.shape[3])
        plus, minus = np.maximum(w[outs], 0), np.minimum(w[outs], 0)
        low[outs] = plus @ lo[ins] + minus @ hi[ins]
        high[outs] = plus @ hi[ins] + minus @ lo[ins]
    return low, high


def _depthwise(w: np.ndarray, lo: np.ndarray, hi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the product of each tap, [o, kh, kw]."""
    multiplier = w.shape[2] // len(lo)
    a, b = w * np.repeat(lo, multiplier), w * np.repeat(hi, multiplier)
    return np.moveaxis(np.minimum(a, b), 2, 0), np.moveaxis(np.maximum(a, b), 2, 0)


_TAP_ENDS: dict[Op, Callable[..., tuple[np.ndarray, np.ndarray]]] = {
    Op.CONV_2D: _dense,
    Op.DEPTHWISE_CONV_2D: _depthwise,
    Op.FULLY_CONNECTED: _dense,
    Op.TRANSPOSE_CONV_2D: _dense,
}
