"""Fixed-point arithmetic: the requantization contract, vectorized over int64 arrays.

A real factor ``M`` becomes ``multiplier * 2**(shift - 31)`` with ``multiplier`` in
[2**30, 2**31) (`quantize_multiplier`). A product with it is rounded in one of two ways
(`requantize`), both exact for any ``|x << max(shift, 0)| < 2**31``:

- ``Rounding.DOUBLE``: the doubled high half, ties upward, of ``(x << left) * multiplier``, then a
  right shift with ties away from zero. TFLite Micro and CMSIS-NN compute this by default.
- ``Rounding.SINGLE``: one right shift by ``31 - shift`` of ``x * multiplier``, ties upward.

Arrays hold values of 32 or 16 bits in int64, so that no intermediate product wraps.
"""

from __future__ import annotations

import math

import numpy as np

from tinyflow.ir import Multiplier, Rounding

INT32_MIN = -(2**31)
INT32_MAX = 2**31 - 1


def quantize_multiplier(real: float) -> Multiplier:
    """The fixed-point form of a factor ``0 <= real < 2**30``; below 2**-32 it is zero."""
    if not (math.isfinite(real) and real >= 0.0):
        raise ValueError(f"a factor must be finite and not negative, not {real!r}")
    fraction, shift = math.frexp(real)
    # Ties cannot reach floor(x + 0.5) wrongly: fraction * 2**31 is exact in float64.
    multiplier = math.floor(fraction * 2.0**31 + 0.5)
    if multiplier == 2**31:
        multiplier, shift = 2**30, shift + 1
    if shift < -31 or multiplier == 0:
        return Multiplier(0, 0)
    if shift > 30:
        raise ValueError(f"a factor of {real:g} is too large for fixed-point arithmetic")
    return Multiplier(multiplier, shift)


def requantize(
    x: np.ndarray,
    multiplier: np.ndarray | int,
    shift: np.ndarray | int,
    rounding: Rounding,
) -> np.ndarray:
    """``x * multiplier * 2**(shift - 31)``, rounded, as int64 of the broadcast shape.

    ``multiplier`` and ``shift`` are scalars or arrays that broadcast against ``x`` (per channel:
    [c] against [..., c]).
    """
    return _ROUNDINGS[rounding](
        np.asarray(x, dtype=np.int64),
        np.asarray(multiplier, dtype=np.int64),
        np.asarray(shift, dtype=np.int64),
    )


def requantize_by(x: np.ndarray, factor: Multiplier, rounding: Rounding) -> np.ndarray:
    """`requantize` with one multiplier for the whole array."""
    return requantize(x, factor.multiplier, factor.shift, rounding)


def _requantize_double(x: np.ndarray, multiplier: np.ndarray, shift: np.ndarray) -> np.ndarray:
    left, right = np.maximum(shift, 0), np.maximum(-shift, 0)
    # The doubled high half by srdhm saturates only where both factors are -2**31, and no
    # multiplier is negative; so the closed form without that case is exact here.
    y = x * (multiplier << left)
    y += 1 << 30
    y >>= 31
    if right.any():
        nudge = y >> 63
        nudge *= right > 0
        nudge += (1 << right) >> 1
        y += nudge
        y >>= right
    return y


def _requantize_single(x: np.ndarray, multiplier: np.ndarray, shift: np.ndarray) -> np.ndarray:
    total = 31 - shift
    y = x * multiplier
    y += np.int64(1) << (total - 1)
    y >>= total
    return y


_ROUNDINGS = {Rounding.DOUBLE: _requantize_double, Rounding.SINGLE: _requantize_single}


def high_product(a: np.ndarray | int, b: np.ndarray | int, bits: int = 32) -> np.ndarray:
    """The doubled high half of ``a * b``: ``round(a * b / 2**(bits - 1))`` with ties upward.

    ``a`` and ``b`` are ``bits``-bit integers; the one product that does not fit, of the lowest
    with itself, saturates. Known as SRDHM (saturating rounding doubling high multiply).
    """
    y = np.asarray(a, dtype=np.int64) * np.asarray(b, dtype=np.int64)
    y += 1 << (bits - 2)
    y >>= bits - 1
    return np.minimum(y, (1 << (bits - 1)) - 1)


def divide_by_power(x: np.ndarray, exponent: np.ndarray | int) -> np.ndarray:
    """``x / 2**exponent`` for 0 <= exponent < 62, rounded, ties away from zero."""
    x = np.asarray(x, dtype=np.int64)
    half = (np.int64(1) << np.asarray(exponent, dtype=np.int64)) >> 1
    return (x + half - ((x < 0) & (half > 0))) >> exponent


def shift_left(x: np.ndarray, amount: int, bits: int = 32) -> np.ndarray:
    """``x * 2**amount``, saturated to ``bits``-bit integers."""
    highest = (1 << (bits - 1)) - 1
    return np.clip(np.asarray(x, dtype=np.int64) << amount, -highest - 1, highest)
