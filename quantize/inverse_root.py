"""The inverse square root in fixed point, as firmware/kernels/inverse_root.h computes it."""

from __future__ import annotations

import numpy as np

ONE = 1 << 29
"""1 in the result."""

_CUBIC = (1670943197, 3173392722, 3344675073, 1309134556)
"""3.1123743, 5.9109046, 6.2299428 and 2.4384531 in Q3.29: ``1/sqrt(x)`` is about
``c0 - x * (c1 - x * (c2 - x * c3))`` for 1/4 <= x < 1, within 0.71%. That is the least relative
error of any cubic."""


def normalize(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``(m, half)`` with ``x = m * 4**half``, ``2**30 <= m < 2**32``, bits below being lost.

    ``x`` is int64 [...], 0 < x < 2**62.
    """
    x = np.asarray(x, dtype=np.int64)
    high = x >> 32
    # Exact below 2**53: no half is rounded up to the next power of two.
    bits = np.frexp(np.where(high > 0, high, x).astype(np.float64))[1] + np.where(high > 0, 32, 0)
    half = (bits.astype(np.int64) - 31) >> 1
    left, right = np.maximum(-2 * half, 0), np.maximum(2 * half, 0)
    return (x << left) >> right, half


def inverse_root(m: np.ndarray) -> np.ndarray:
    """``2**29 / sqrt(m / 2**32)`` for ``2**30 <= m < 2**32``, int64: 2**29 to a little over 2**30.

    Two Newton steps ``y * (3 - x * y * y) / 2`` square the cubic's error twice; with what is
    truncated, the result is within 1.1e-8 of the root.
    """
    x = np.asarray(m, dtype=np.uint64)
    c0, c1, c2, c3 = (np.uint64(c) for c in _CUBIC)
    s29, s30, s32 = np.uint64(29), np.uint64(30), np.uint64(32)
    y = c0 - (x * (c1 - (x * (c2 - (x * c3 >> s32)) >> s32)) >> s32)
    for _ in range(2):
        product = x * (y * y >> s29) >> s32
        y = y * (np.uint64(3 * ONE) - product) >> s30
    return y.astype(np.int64)
