"""ADD and SUB in integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.ir import Op
from tinyflow.ir.integer import AddForm
from tinyflow.quantize.fixed_point import requantize_by
from tinyflow.quantize.site import Site

_SIGN = {Op.ADD: 1, Op.SUB: -1}


def add(site: Site, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    form: Any = site.node.integer
    assert isinstance(form, AddForm)
    scaled = []
    for x, tensor, factor in zip((a, b), site.operands, (form.input_1, form.input_2), strict=True):
        centred = (x.astype(np.int64) - tensor.params.zero_point) << form.left_shift
        scaled.append(requantize_by(centred, factor, site.rounding))
    total = scaled[0] + _SIGN[site.node.op] * scaled[1]
    codes = requantize_by(total, form.output, site.rounding) + site.result.params.zero_point
    return np.clip(codes, form.lo, form.hi).astype(np.int8)
