"""Exponential, reciprocal, logistic and tanh in 32-bit fixed point, as TFLite's kernels have them.

``Qm`` below means a 32-bit integer with ``m`` integer bits: the real value is ``raw * 2**(m-31)``.
All functions take and return int64 arrays of such raw values.
"""

from __future__ import annotations

import numpy as np

from tinyflow.quantize.fixed_point import INT32_MAX, divide_by_power, high_product, shift_left

ONE_Q0 = INT32_MAX
_ONE_Q2 = 1 << 29
_EXP_MINUS_EIGHTH = 1895147668  # exp(-1/8), Q0
_THIRD = 715827883  # 1/3, Q0
_48_OVER_17 = 1515870810  # Q2
_MINUS_32_OVER_17 = -1010580540  # Q2
_BARREL = (
    (-2, 1672461947),
    (-1, 1302514674),
    (0, 790015084),
    (1, 290630308),
    (2, 39332535),
    (3, 720401),
    (4, 242),
)
"""(e, exp(-2**e) in Q0)."""


def exp_of_negative(x: np.ndarray, integer_bits: int) -> np.ndarray:
    """``exp(x)`` in Q0 of ``x <= 0`` in Q``integer_bits``, which is 5 at most."""
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    # x is a negative number of whole quarters plus a rest in [-1/4, 0).
    rest = (x & (quarter - 1)) - quarter
    result = _exp_of_last_quarter(shift_left(rest, integer_bits))
    quarters = rest - x
    for exponent, constant in _BARREL:
        if exponent < integer_bits:
            bit = (quarters >> (fraction_bits + exponent)) & 1
            result = np.where(bit == 1, high_product(result, constant), result)
    return np.where(x == 0, ONE_Q0, result)


def _exp_of_last_quarter(a: np.ndarray) -> np.ndarray:
    """``exp(a)`` for ``a`` in [-1/4, 0), Q0 both: four Taylor terms around -1/8."""
    x = a + (1 << 28)
    x2 = high_product(x, x)
    x3 = high_product(x2, x)
    x4 = high_product(x2, x2)
    tail = high_product(divide_by_power(x4, 2) + x3, _THIRD) + x2
    return _EXP_MINUS_EIGHTH + high_product(_EXP_MINUS_EIGHTH, x + divide_by_power(tail, 1))


def _inverse_of_half_denominator(a: np.ndarray) -> np.ndarray:
    """``2 / (1 + a)`` in Q2 of ``a`` in [0, 1), Q0: three Newton-Raphson steps."""
    half_denominator = (a + ONE_Q0 + 1) >> 1
    x = _48_OVER_17 + high_product(half_denominator, _MINUS_32_OVER_17)
    for _ in range(3):
        error = _ONE_Q2 - high_product(half_denominator, x)
        x = x + shift_left(high_product(x, error), 2)
    return x


def one_over_one_plus(a: np.ndarray) -> np.ndarray:
    """``1 / (1 + a)`` for ``a`` in [0, 1), Q0 both."""
    return shift_left(_inverse_of_half_denominator(a), 1)


def logistic(x: np.ndarray, integer_bits: int) -> np.ndarray:
    """``1 / (1 + exp(-x))`` in Q0 of ``x`` in Q``integer_bits``."""
    positive = one_over_one_plus(exp_of_negative(-np.abs(x), integer_bits))
    return np.where(x == 0, 1 << 30, np.where(x > 0, positive, ONE_Q0 - positive))


def tanh(x: np.ndarray, integer_bits: int) -> np.ndarray:
    """``tanh(x)`` in Q0 of ``x`` in Q``integer_bits``."""
    # The same raw value with one more integer bit is twice the real value.
    power = exp_of_negative(-np.abs(x), integer_bits + 1)
    magnitude = shift_left(_inverse_of_half_denominator(power) - _ONE_Q2, 2)
    return np.sign(x) * magnitude
