"""MUL in integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.ir.integer import MulForm
from tinyflow.quantize.fixed_point import requantize_by
from tinyflow.quantize.site import Site


def mul(site: Site, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    form: Any = site.node.integer
    assert isinstance(form, MulForm)
    zero_a, zero_b = (t.params.zero_point for t in site.operands)
    product = (a.astype(np.int64) - zero_a) * (b.astype(np.int64) - zero_b)
    codes = requantize_by(product, form.output, site.rounding) + site.result.params.zero_point
    return np.clip(codes, form.lo, form.hi).astype(np.int8)
