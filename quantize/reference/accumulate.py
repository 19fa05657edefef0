"""CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV_2D, FULLY_CONNECTED in integers.

The sums of products run in floating point, where BLAS is, in the narrowest type in which every
partial sum is an integer that the type holds exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyflow.ir import Op
from tinyflow.ir.integer import AccumulateForm
from tinyflow.ir.ops import conv2d, depthwise_conv2d, transpose_conv2d
from tinyflow.quantize.fixed_point import requantize
from tinyflow.quantize.forms.accumulate import OUTPUT_AXIS
from tinyflow.quantize.forms.activation import reach
from tinyflow.quantize.site import Site

_FLOAT32_EXACT = 2**24
_BLOCK = 1 << 16
"""Elements that are requantized at a time: their int64 work arrays stay in the cache."""


def _product(attrs: Any, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    return x @ w.T


_SUMS: dict[Op, Callable[[Any, np.ndarray, np.ndarray], np.ndarray]] = {
    Op.CONV_2D: conv2d.accumulate,
    Op.DEPTHWISE_CONV_2D: depthwise_conv2d.accumulate,
    Op.FULLY_CONNECTED: _product,
    Op.TRANSPOSE_CONV_2D: transpose_conv2d.accumulate,
}


def accumulate(
    site: Site, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None
) -> np.ndarray:
    form: Any = site.node.integer
    assert isinstance(form, AccumulateForm)
    centred_weight = weight.astype(np.int64) - form.weight_zero
    axis = OUTPUT_AXIS[site.node.op]
    others = tuple(i for i in range(weight.ndim) if i != axis)
    largest = int(np.abs(centred_weight).sum(axis=others).max()) * reach(site.input)
    real = np.float32 if largest <= _FLOAT32_EXACT else np.float64
    # Padding with 0 after centring is padding with the zero point.
    centred: np.ndarray = x.astype(real)
    centred -= site.input.params.zero_point
    sums = _SUMS[site.node.op](site.node.attrs, centred, centred_weight.astype(real))
    return _finish(site, form, sums, bias)


def _finish(
    site: Site, form: AccumulateForm, sums: np.ndarray, bias: np.ndarray | None
) -> np.ndarray:
    channels = sums.shape[-1]
    rows = sums.reshape(-1, channels)
    result = np.empty(rows.shape, dtype=site.result.dtype.numpy)
    step = max(_BLOCK // channels, 1)
    for start in range(0, len(rows), step):
        block = rows[start : start + step].astype(np.int64)
        if bias is not None:
            block += bias
        codes = requantize(block, form.multiplier, form.shift, site.rounding)
        codes += site.result.params.zero_point
        result[start : start + step] = np.clip(codes, form.lo, form.hi)
    return result.reshape(sums.shape)
