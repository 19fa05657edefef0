"""PRELU in integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.ir.integer import PreluForm
from tinyflow.quantize.fixed_point import requantize_by
from tinyflow.quantize.forms.activation import code_range
from tinyflow.quantize.site import Site


def prelu(site: Site, x: np.ndarray, slope: np.ndarray) -> np.ndarray:
    form: Any = site.node.integer
    assert isinstance(form, PreluForm)
    centred, factors = (
        codes.astype(np.int64) - tensor.params.zero_point
        for codes, tensor in zip((x, slope), site.operands, strict=True)
    )
    above = requantize_by(centred, form.above, site.rounding)
    below = requantize_by(centred * factors, form.below, site.rounding)
    codes = np.where(centred >= 0, above, below) + site.result.params.zero_point
    return np.clip(codes, *code_range(site.result)).astype(np.int8)
