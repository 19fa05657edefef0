"""SOFTMAX: differences from the maximum in Q5.26."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyflow.ir import DType
from tinyflow.ir.integer import SoftmaxForm
from tinyflow.ir.ops.softmax import WIDE_OUTPUT
from tinyflow.quantize.fixed_point import quantize_multiplier
from tinyflow.quantize.forms.fixed_output import check_output
from tinyflow.quantize.site import NoIntegerFormError, Site

INTEGER_BITS = 5
MOST_ELEMENTS = 4095
"""Sums of exponentials have 12 integer bits."""


def softmax_form(site: Site) -> SoftmaxForm:
    attrs: Any = site.node.attrs
    if site.input.dtype is not DType.INT8:
        raise NoIntegerFormError(f"its input is {site.input.dtype.value}, int8 is possible")
    check_output(site, WIDE_OUTPUT if site.result.dtype is DType.INT16 else None)
    if site.result.shape[-1] > MOST_ELEMENTS:
        raise NoIntegerFormError(
            f"a softmax over {site.result.shape[-1]} elements, {MOST_ELEMENTS} are possible"
        )
    # A larger factor changes nothing: from the first code below the maximum on, all is zero.
    real = float(np.float32(attrs.beta)) * site.input.params.scale * 2.0 ** (31 - INTEGER_BITS)
    real = min(real, 2.0**30 - 1)
    if real <= 1:
        raise NoIntegerFormError(f"its input scale times beta is too small ({real / 2**26:g})")
    scaled = quantize_multiplier(real)
    radius = ((1 << INTEGER_BITS) - 1) * 2.0 ** (31 - INTEGER_BITS) / 2.0**scaled.shift
    return SoftmaxForm(scaled, -math.floor(radius))
