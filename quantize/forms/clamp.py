"""CLAMP: requantize, then clamp in the output's codes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.ir.integer import TableForm
from tinyflow.quantize.forms.activation import clamp_codes
from tinyflow.quantize.forms.table import rescaled, table_of
from tinyflow.quantize.site import Site


def clamp_form(site: Site) -> TableForm:
    attrs: Any = site.node.attrs
    codes = rescaled(site, site.input.params.scale / site.result.params.scale)
    return table_of(site, np.clip(codes, *clamp_codes(attrs.clamp, site.result)))
