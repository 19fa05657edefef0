"""CHANNEL_GATE: for every channel and inference one line, and one rounding an element."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.ir import round_half_away
from tinyflow.ir.integer import ChannelGateForm
from tinyflow.quantize.forms.activation import reach
from tinyflow.quantize.site import NoIntegerFormError, Site

SLOPE_BITS = 24
FRACTION_BITS = 16
_LIMIT = 2**31


def channel_gate_form(site: Site) -> ChannelGateForm:
    attrs: Any = site.node.attrs
    x, gate, scale, shift = site.operands
    out = site.result.params
    step = gate.params.scale / out.scale
    rescale = x.params.scale / out.scale
    slope_unit, unit = 2.0**SLOPE_BITS, 2.0**FRACTION_BITS
    factor = round_half_away(scale.value.astype(np.float64) * (x.params.scale * step * slope_unit))
    offset = round_half_away(shift.value.astype(np.float64) * (step * unit))
    base = float(round_half_away(np.array(attrs.residual * rescale * slope_unit)))
    start = out.zero_point * unit + unit / 2
    # Bounds of everything that a kernel holds in a register.
    slope = np.abs(factor) * reach(gate) + base
    line = slope * 2.0 ** (FRACTION_BITS - SLOPE_BITS) * 256
    sums = line + np.abs(offset) * reach(gate) + abs(start)
    if max(slope.max(), sums.max()) >= _LIMIT:
        raise NoIntegerFormError(
            f"its output scale {out.scale:g} is too small for an input of scale "
            f"{x.params.scale:g} and its factors"
        )
    return ChannelGateForm(factor.astype(np.int32), offset.astype(np.int32), int(base), int(start))
