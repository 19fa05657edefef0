"""CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV_2D, FULLY_CONNECTED: multipliers per channel."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.ir import DType, Op
from tinyflow.ir.integer import AccumulateForm
from tinyflow.quantize.fixed_point import INT32_MAX, INT32_MIN, quantize_multiplier
from tinyflow.quantize.forms.activation import clamp_codes, code_range
from tinyflow.quantize.site import NoIntegerFormError, Site

OUTPUT_AXIS = {
    Op.CONV_2D: 0,
    Op.DEPTHWISE_CONV_2D: 3,
    Op.FULLY_CONNECTED: 0,
    Op.TRANSPOSE_CONV_2D: 0,
}
"""The weight's axis of output channels."""


def accumulate_form(site: Site) -> AccumulateForm:
    attrs: Any = site.node.attrs
    weight_zero = _weight_zero(site)
    _check_bias(site)
    lowest, highest = _accumulator_bounds(site, weight_zero)
    if (lowest < INT32_MIN).any() or (highest > INT32_MAX).any():
        raise NoIntegerFormError("its sums of products can leave 32 bits")
    factors = [_multiplier(real) for real in real_multipliers(site)]
    shift = np.array([f.shift for f in factors], dtype=np.int32)
    largest = np.maximum(-lowest, highest) << np.maximum(shift, 0).astype(np.int64)
    if (largest > INT32_MAX).any():
        channel = int(np.argmax(largest))
        raise NoIntegerFormError(
            f"the output scale {site.result.params.scale:g} is too small for the sums of products "
            f"of channel {channel}: scaled up, they leave 32 bits"
        )
    lo, hi = clamp_codes(attrs.clamp, site.result)
    multiplier = np.array([f.multiplier for f in factors], dtype=np.int32)
    return AccumulateForm(multiplier, shift, lo, hi, weight_zero)


def real_multipliers(site: Site) -> list[float]:
    """``scale_in * scale_weight / scale_out`` of every output channel, in float64."""
    scales = site.operands[1].params.scales
    scale_in, scale_out = site.input.params.scale, site.result.params.scale
    if len(scales) == 1:
        scales = scales * site.result.shape[-1]
    return [scale_in * scale / scale_out for scale in scales]


def _multiplier(real: float) -> Any:
    try:
        return quantize_multiplier(real)
    except ValueError as error:
        raise NoIntegerFormError(f"scale in * scale of weight / scale out: {error}") from None


def _weight_zero(site: Site) -> int:
    weight = site.operands[1]
    if weight.dtype is not DType.INT8 or weight.data is None:
        raise NoIntegerFormError(f"its weight '{weight.name}' must be an int8 constant")
    params, axis = weight.params, OUTPUT_AXIS[site.node.op]
    if params.axis not in (None, axis):
        raise NoIntegerFormError(f"its weight has scales along axis {params.axis}, not {axis}")
    if params.axis is not None and len(params.scales) != weight.shape[axis]:
        raise NoIntegerFormError(
            f"its weight has {len(params.scales)} scales for {weight.shape[axis]} channels"
        )
    zeros = set(params.zero_points)
    if zeros == {0}:
        return 0
    if site.node.op is Op.FULLY_CONNECTED and params.axis is None:
        return params.zero_point
    raise NoIntegerFormError(f"its weight has the zero points {sorted(zeros)}, only 0 is possible")


def _check_bias(site: Site) -> None:
    if len(site.operands) < 3:
        return
    bias = site.operands[2]
    if bias.dtype is not DType.INT32 or bias.data is None:
        raise NoIntegerFormError(f"its bias '{bias.name}' must be an int32 constant")


def _accumulator_bounds(site: Site, weight_zero: int) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and highest sum, bias included, that any input can produce, per channel.

    Every term, the bias too, is bounded on both sides of 0, so that partial sums in any order
    keep within the bounds as well.
    """
    weight = site.operands[1].value.astype(np.int64) - weight_zero
    axis = OUTPUT_AXIS[site.node.op]
    taps = np.moveaxis(weight, axis, 0).reshape(weight.shape[axis], -1)
    lo, hi = (code - site.input.params.zero_point for code in code_range(site.input))
    lowest = np.minimum(taps * lo, taps * hi).sum(axis=1)
    highest = np.maximum(taps * lo, taps * hi).sum(axis=1)
    if len(site.operands) > 2:
        bias = site.operands[2].value.astype(np.int64)
        lowest, highest = np.minimum(bias, 0) + lowest, np.maximum(bias, 0) + highest
    return lowest, highest
