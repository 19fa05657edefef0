"""Functions of one element: their values in float64, rounded half away from zero."""

from __future__ import annotations

import numpy as np

from tinyflow.ir import OPS, round_half_away
from tinyflow.ir.integer import TableForm
from tinyflow.quantize.forms.activation import code_range
from tinyflow.quantize.forms.table import centred_codes, table_of
from tinyflow.quantize.site import NoIntegerFormError, Site


def function_form(site: Site) -> TableForm:
    """A code beyond the function's domain, such as a negative one under a logarithm, gets the
    value of the nearest code within, the lower one of two: there the input is a rounded end of
    the domain. An infinite value saturates."""
    params = site.result.params
    real = site.input.params.scale * centred_codes(site).astype(np.float64)
    with np.errstate(all="ignore"):
        values = OPS[site.node.op].evaluate(site.node.attrs, real)
    scaled = _within_domain(values) / params.scale
    lo, hi = code_range(site.result)
    # Clipped before they become integers, which hold no infinity.
    codes = np.clip(scaled, lo - params.zero_point, hi - params.zero_point)
    return table_of(site, round_half_away(codes).astype(np.int64) + params.zero_point)


def _within_domain(values: np.ndarray) -> np.ndarray:
    defined = np.flatnonzero(~np.isnan(values))
    if not len(defined):
        raise NoIntegerFormError("its function has no value for any input code")
    distance = np.abs(np.arange(len(values))[:, None] - defined)
    nearest: np.ndarray = values[defined[distance.argmin(axis=1)]]
    return nearest
