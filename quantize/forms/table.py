"""Shared by the operations that become a table: all codes in, checks, and the way back."""

from __future__ import annotations

import numpy as np

from tinyflow.ir import Multiplier
from tinyflow.ir.integer import TableForm
from tinyflow.quantize.fixed_point import requantize_by
from tinyflow.quantize.forms.activation import code_range, factor, reach
from tinyflow.quantize.site import Site


def centred_codes(site: Site) -> np.ndarray:
    """Every input code, lowest first, minus the input's zero point: int64 [256]."""
    lo, hi = code_range(site.input)
    return np.arange(lo, hi + 1, dtype=np.int64) - site.input.params.zero_point


def table_of(site: Site, codes: np.ndarray) -> TableForm:
    """The table of int64 output ``codes`` [256], saturated to the output's type."""
    lo, hi = code_range(site.result)
    return TableForm(np.clip(codes, lo, hi).astype(site.result.dtype.numpy))


def rescaled(site: Site, real: float, what: str = "scale in / scale out") -> np.ndarray:
    """Output codes, not yet saturated, of ``real * (code - zero point)``: int64 [256]."""
    scaled: Multiplier = factor(real, reach(site.input), what)
    products = requantize_by(centred_codes(site), scaled, site.rounding)
    return products + site.result.params.zero_point
