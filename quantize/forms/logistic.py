"""SIGMOID and TANH: fixed point with 4 integer bits, flat beyond +-15."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tinyflow.ir.integer import TableForm
from tinyflow.quantize.fixed_point import divide_by_power, quantize_multiplier, requantize_by
from tinyflow.quantize.forms.fixed_output import check_output
from tinyflow.quantize.forms.table import centred_codes, table_of
from tinyflow.quantize.site import NoIntegerFormError, Site
from tinyflow.quantize.transcendental import logistic, tanh

INTEGER_BITS = 4


def sigmoid_form(site: Site) -> TableForm:
    """The result in Q0 loses 23 bits: 8 remain for [0, 1)."""
    return _saturating_table(site, logistic, 23)


def tanh_form(site: Site) -> TableForm:
    """The result in Q0 loses 24 bits: 7 and a sign remain for (-1, 1)."""
    return _saturating_table(site, tanh, 24)


def _saturating_table(
    site: Site, function: Callable[[np.ndarray, int], np.ndarray], lost_bits: int
) -> TableForm:
    check_output(site)
    scale = site.input.params.scale
    real = scale * 2.0 ** (31 - INTEGER_BITS)
    if real < 1.0:
        raise NoIntegerFormError(f"its input scale {scale:g} is too small")
    codes = centred_codes(site)
    if real >= 2.0**30:
        # A step of one code crosses the whole function: TFLite then puts 0 on the lower side.
        return table_of(site, np.where(codes > 0, 127, -128))
    scaled = quantize_multiplier(real)
    limit = (1 << INTEGER_BITS) - 1
    radius = math.floor(limit * 2.0 ** (31 - INTEGER_BITS) / 2.0**scaled.shift)
    inside = np.clip(codes, 1 - radius, radius - 1)
    value = function(requantize_by(inside, scaled, site.rounding), INTEGER_BITS)
    result = divide_by_power(value, lost_bits) + site.result.params.zero_point
    beyond = np.where(codes >= radius, 127, -128)
    return table_of(site, np.where(np.abs(codes) >= radius, beyond, result))
