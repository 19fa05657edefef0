"""HARD_SIGMOID: computed in float64, rounded half away from zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.ir import round_half_away
from tinyflow.ir.integer import TableForm
from tinyflow.quantize.forms.table import centred_codes, table_of
from tinyflow.quantize.site import Site


def hard_sigmoid_form(site: Site) -> TableForm:
    attrs: Any = site.node.attrs
    params = site.result.params
    real = site.input.params.scale * centred_codes(site).astype(np.float64)
    value = np.clip(attrs.alpha * real + attrs.beta, 0.0, 1.0)
    codes = round_half_away(value / params.scale).astype(np.int64)
    return table_of(site, codes + params.zero_point)
