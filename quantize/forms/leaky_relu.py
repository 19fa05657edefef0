"""LEAKY_RELU: one multiplier on each side of zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.ir.integer import TableForm
from tinyflow.quantize.forms.table import centred_codes, rescaled, table_of
from tinyflow.quantize.site import NoIntegerFormError, Site


def leaky_relu_form(site: Site) -> TableForm:
    attrs: Any = site.node.attrs
    if attrs.alpha < 0:
        raise NoIntegerFormError(f"its slope {attrs.alpha:g} is negative")
    scale_in, scale_out = site.input.params.scale, site.result.params.scale
    # A .tflite file holds the slope as float32.
    slope = scale_in * float(np.float32(attrs.alpha)) / scale_out
    above = rescaled(site, scale_in / scale_out)
    below = rescaled(site, slope, "scale in * alpha / scale out")
    return table_of(site, np.where(centred_codes(site) >= 0, above, below))
