"""MATMUL in integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.ir.integer import MatmulForm
from tinyflow.ir.ops.matmul import evaluate
from tinyflow.quantize.fixed_point import requantize_by
from tinyflow.quantize.site import Site


def matmul(site: Site, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The sums run in float64, where BLAS is: they are below 2**31, hence exact."""
    form: Any = site.node.integer
    attrs: Any = site.node.attrs
    assert isinstance(form, MatmulForm)
    zero_a, zero_b = (t.params.zero_point for t in site.operands)
    left, right = a.astype(np.float64) - zero_a, b.astype(np.float64) - zero_b
    sums = evaluate(attrs, left, right).astype(np.int64)
    codes = requantize_by(sums, form.output, site.rounding) + site.result.params.zero_point
    return np.clip(codes, form.lo, form.hi).astype(np.int8)
