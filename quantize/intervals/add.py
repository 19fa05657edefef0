"""ADD and SUB: every step of theirs rises, or with SUB's second input falls, with its input."""

from __future__ import annotations

from typing import Any

from tinyflow.ir import Multiplier, Op, Tensor
from tinyflow.quantize.fixed_point import requantize_by
from tinyflow.quantize.intervals.channel_range import ChannelRange
from tinyflow.quantize.site import Site


def add_range(site: Site, a: ChannelRange, b: ChannelRange) -> ChannelRange:
    form: Any = site.node.integer
    channels = site.result.shape[-1]

    def scaled(x: ChannelRange, tensor: Tensor, factor: Multiplier) -> ChannelRange:
        zero = tensor.params.zero_point
        return x.spread(channels).mapped(
            lambda ends: requantize_by((ends - zero) << form.left_shift, factor, site.rounding)
        )

    first = scaled(a, site.operands[0], form.input_1)
    second = scaled(b, site.operands[1], form.input_2)
    if site.node.op is Op.SUB:
        second = ChannelRange(-second.hi, -second.lo)
    total = ChannelRange(first.lo + second.lo, first.hi + second.hi)
    zero = site.result.params.zero_point
    codes = total.mapped(lambda ends: requantize_by(ends, form.output, site.rounding) + zero)
    return codes.clipped(form.lo, form.hi)
