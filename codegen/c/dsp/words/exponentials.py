"""Powers of e in the fixed point of firmware/kernels/softmax_s8.h, value by value."""

from __future__ import annotations

from tinyflow.codegen.c.dsp.requant import arithmetic

_QUARTER = 1 << 24
"""1/4 in Q5.26."""
_EXP_OF_MINUS_EIGHTH = 1895147668
_THIRD = 715827883
_POWERS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
"""e^(-1/4), e^(-1/2), e^-1, e^-2 ... e^-16 in Q0.31."""


def exp_of_negative(x: int) -> int:
    """e^x in Q0.31 of x <= 0 in Q5.26."""
    if x == 0:
        return arithmetic.INT32_MAX
    last = (x & (_QUARTER - 1)) - _QUARTER
    result = _exp_of_last_quarter(last << 5)
    for i, power in enumerate(_POWERS):
        if (last - x) & (_QUARTER << i):
            result = _high_product(result, power)
    return result


def _exp_of_last_quarter(x: int) -> int:
    """For -1/4 <= x < 0 in Q0.31: a Taylor series around -1/8."""
    t = x + (1 << 28)
    square = _high_product(t, t)
    cube, fourth = _high_product(square, t), _high_product(square, square)
    tail = _high_product(_divide(fourth, 2) + cube, _THIRD) + square
    return _EXP_OF_MINUS_EIGHTH + _high_product(_EXP_OF_MINUS_EIGHTH, t + _divide(tail, 1))


def _high_product(a: int, b: int) -> int:
    return (a * b + (1 << 30)) >> 31


def _divide(x: int, exponent: int) -> int:
    """By a power of two, ties away from zero."""
    return (x + (1 << (exponent - 1)) - (x < 0)) >> exponent
