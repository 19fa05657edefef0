"""SOFTMAX in integers, over the last axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.ir.integer import SoftmaxForm
from tinyflow.quantize.fixed_point import divide_by_power, high_product, requantize_by
from tinyflow.quantize.forms.activation import code_range
from tinyflow.quantize.forms.softmax import INTEGER_BITS
from tinyflow.quantize.site import Site
from tinyflow.quantize.transcendental import exp_of_negative, one_over_one_plus

SUM_BITS = 12
"""Integer bits of the sum of exponentials."""


def softmax(site: Site, x: np.ndarray) -> np.ndarray:
    form: Any = site.node.integer
    assert isinstance(form, SoftmaxForm)
    difference = x.astype(np.int64) - x.max(axis=-1, keepdims=True)
    counts = difference >= form.diff_min
    scaled = requantize_by(np.where(counts, difference, 0), form.input, site.rounding)
    powers = np.where(counts, exp_of_negative(scaled, INTEGER_BITS), 0)
    total = divide_by_power(powers, SUM_BITS).sum(axis=-1, keepdims=True)
    # total = (1 + fraction) * 2**(31 - headroom - SUM_BITS); frexp is exact below 2**53.
    bits = np.frexp(total.astype(np.float64))[1].astype(np.int64)
    headroom = 32 - bits
    fraction = (total << headroom) - (1 << 31)
    inverse = one_over_one_plus(fraction)
    lowest, highest = code_range(site.result)
    bits = 8 * site.result.dtype.itemsize
    codes = divide_by_power(high_product(inverse, powers), SUM_BITS - headroom + 31 - bits)
    codes = np.where(counts, codes, 0) + lowest
    return np.clip(codes, lowest, highest).astype(site.result.dtype.numpy)
