"""HARD_SWISH: TFLite's arithmetic in 16-bit fixed point."""

from __future__ import annotations

import numpy as np

from tinyflow.ir import Multiplier
from tinyflow.ir.integer import TableForm
from tinyflow.quantize.fixed_point import divide_by_power, high_product, shift_left
from tinyflow.quantize.forms.activation import factor
from tinyflow.quantize.forms.table import centred_codes, table_of
from tinyflow.quantize.site import NoIntegerFormError, Site

HIGH_BITS = 7
"""A centred code has 9 bits; shifted by 7 it uses all 16."""


def hard_swish_form(site: Site) -> TableForm:
    # float32 throughout, as TFLite prepares it.
    fine_scale = np.float32(1 / 128) * np.float32(site.input.params.scale)
    scale_out = np.float32(site.result.params.scale)
    output = _factor_16(float(fine_scale / scale_out), "scale in / (128 * scale out)")
    if output.shift > 0:
        raise NoIntegerFormError(f"its output scale {float(scale_out):g} is too small")
    ramp = _factor_16(float(fine_scale / (np.float32(3) / np.float32(32768))), "scale in * 256 / 3")

    x = centred_codes(site) << HIGH_BITS
    line = high_product(x, output.multiplier, 16)
    # x / 3 with 32768 standing for 1, saturated to [-1, 1); then moved to [0, 1).
    gate = shift_left(x, max(ramp.shift - 1, 0), 16)
    gate = high_product(gate, ramp.multiplier, 16)
    gate = shift_left(gate, 1, 16) if ramp.shift > 0 else divide_by_power(gate, -ramp.shift)
    gate = (gate + (1 << 15)) >> 1
    # Rounded toward zero: that cancels the bias of the roundings above.
    product = gate * line
    product = np.sign(product) * (np.abs(product) >> 15)
    codes = divide_by_power(product, -output.shift) + site.result.params.zero_point
    return table_of(site, codes)


def _factor_16(real: float, what: str) -> Multiplier:
    """A factor with a multiplier of 16 bits."""
    whole = factor(real, 0, what)
    return Multiplier(min((whole.multiplier + (1 << 15)) >> 16, (1 << 15) - 1), whole.shift)
