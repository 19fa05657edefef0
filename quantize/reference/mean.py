"""MEAN in integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.ir.integer import MeanForm
from tinyflow.quantize.fixed_point import requantize_by
from tinyflow.quantize.forms.activation import code_range
from tinyflow.quantize.site import Site


def mean(site: Site, x: np.ndarray) -> np.ndarray:
    form: Any = site.node.integer
    attrs: Any = site.node.attrs
    assert isinstance(form, MeanForm)
    total = x.sum(axis=attrs.axes, keepdims=attrs.keep_dims, dtype=np.int64)
    total -= form.count * site.input.params.zero_point
    codes = requantize_by(total, form.output, site.rounding) + site.result.params.zero_point
    return np.clip(codes, *code_range(site.result)).astype(np.int8)
