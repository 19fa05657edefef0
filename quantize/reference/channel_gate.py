"""CHANNEL_GATE in integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.ir.integer import ChannelGateForm
from tinyflow.quantize.forms.activation import code_range
from tinyflow.quantize.forms.channel_gate import FRACTION_BITS, SLOPE_BITS
from tinyflow.quantize.site import Site


def channel_gate(
    site: Site, x: np.ndarray, gate: np.ndarray, scale: np.ndarray, shift: np.ndarray
) -> np.ndarray:
    """``scale`` and ``shift`` are in the form already."""
    axes = (1,) * (x.ndim - 2)
    codes = gated(site, x, gate.reshape(len(gate), *axes, x.shape[-1]))
    return codes.astype(site.result.dtype.numpy)


def gated(site: Site, x: np.ndarray, gate: np.ndarray) -> np.ndarray:
    """The results' codes, int64, for codes that broadcast over the channels, the last axis."""
    form: Any = site.node.integer
    assert isinstance(form, ChannelGateForm)
    zero_x, zero_gate = (t.params.zero_point for t in site.operands[:2])
    more = SLOPE_BITS - FRACTION_BITS
    factor = gate.astype(np.int64) - zero_gate
    slope = form.factor.astype(np.int64) * factor + form.base
    offset = form.offset.astype(np.int64) * factor + form.start - (slope * zero_x >> more)
    sums = offset + (slope * x.astype(np.int64) >> more)
    codes: np.ndarray = np.clip(sums >> FRACTION_BITS, *code_range(site.result))
    return codes
