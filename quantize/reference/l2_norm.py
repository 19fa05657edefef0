"""L2_NORM in integers, over the last axis: TFLite's inverse square root and one requantization."""

from __future__ import annotations

import numpy as np

from tinyflow.quantize.fixed_point import INT32_MAX, high_product, requantize, shift_left
from tinyflow.quantize.forms.activation import code_range
from tinyflow.quantize.site import Site

OUTPUT_BITS = 7
"""The output's scale is 1/128."""
_ONE = 1 << 28
"""In Q3.28."""
_HALF_ROOT_OF_TWO = 1518500250
"""In Q0.31."""


def l2_norm(site: Site, x: np.ndarray) -> np.ndarray:
    q = x.astype(np.int64) - site.input.params.zero_point
    multiplier, shift = _inverse_root(np.square(q).sum(axis=-1, keepdims=True))
    codes = requantize(q, multiplier, shift + OUTPUT_BITS, site.rounding)
    codes += site.result.params.zero_point
    return np.clip(codes, *code_range(site.result)).astype(site.result.dtype.numpy)


def _inverse_root(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Multiplier and shift of ``1 / sqrt(x)`` for ``0 <= x < 2**31``; 0 counts as 1."""
    large = x > 1
    m = np.where(large, x, 2)
    # Into [2**27, 2**29) by factors of four.
    bits = np.frexp(m.astype(np.float64))[1].astype(np.int64)
    quarters = np.maximum((bits - 28) >> 1, 0)
    fours = np.maximum((29 - bits) >> 1, 0)
    m = (m >> 2 * quarters) << 2 * fours
    right = 11 + quarters - fours
    y = _root_of_quarter(m >> 1)
    y <<= np.maximum(-right, 0)
    right = np.maximum(right, 0)
    return np.where(large, y, INT32_MAX), np.where(large, -right, 0)


def _root_of_quarter(x: np.ndarray) -> np.ndarray:
    """``sqrt(1 / 2) / sqrt(x)`` in Q3.28: five Newton steps from 1, where it is far from its root
    for most x: TFLite takes no nearer start."""
    half = (x + 1) >> 1
    y = np.full_like(x, _ONE)
    for _ in range(5):
        cube = shift_left(high_product(high_product(y, y), y), 6)
        y = shift_left(high_product(_ONE + _ONE // 2, y) - high_product(half, cube), 3)
    return high_product(y, _HALF_ROOT_OF_TWO)
