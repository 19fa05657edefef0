"""Fixed-point arithmetic against exact rationals and a scalar model of the two roundings."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinyflow.ir import Multiplier, Rounding
from tinyflow.quantize.fixed_point import (
    divide_by_power,
    high_product,
    quantize_multiplier,
    requantize,
    requantize_by,
    shift_left,
)

INT32 = st.integers(-(2**31), 2**31 - 1)
MULTIPLIERS = st.one_of(
    st.just(0), st.just(2**30), st.just(2**31 - 1), st.integers(2**30, 2**31 - 1)
)


def half_up(x: Fraction) -> int:
    return math.floor(x + Fraction(1, 2))


def half_away(x: Fraction) -> int:
    return half_up(x) if x >= 0 else -half_up(-x)


@st.composite
def requantizations(draw):
    """(x, multiplier, shift) with ``x << shift`` inside 32 bits."""
    shift = draw(st.integers(-31, 30))
    room = 2 ** (31 - max(shift, 0))
    return draw(st.integers(-room, room - 1)), draw(MULTIPLIERS), shift


@given(st.floats(2.0**-32, 2.0**29.9))
@example(1.0)
@example(0.5)
@example(math.nextafter(1.0, 0.0))
@example(2.0**-32)
def test_multiplier_is_within_half_a_unit_of_the_real_factor(real):
    factor = quantize_multiplier(real)
    assert 2**30 <= factor.multiplier < 2**31 and -31 <= factor.shift <= 30
    exact = Fraction(real)
    value = Fraction(factor.multiplier) * Fraction(2) ** (factor.shift - 31)
    assert abs(value - exact) <= Fraction(2) ** (factor.shift - 32)


@pytest.mark.parametrize(
    ("real", "expected"),
    [
        (0.0, Multiplier(0, 0)),
        (2.0**-33, Multiplier(0, 0)),
        (2.0**-32, Multiplier(2**30, -31)),
        (1.0, Multiplier(2**30, 1)),
        (0.75, Multiplier(3 * 2**29, 0)),
        (math.nextafter(1.0, 0.0), Multiplier(2**30, 1)),
    ],
)
def test_multiplier_at_the_edges(real, expected):
    assert quantize_multiplier(real) == expected


@pytest.mark.parametrize("real", [-1.0, math.inf, math.nan, 2.0**30, math.nextafter(2.0**30, 0)])
def test_a_factor_without_a_fixed_point_form_is_refused(real):
    with pytest.raises(ValueError, match="a factor"):
        quantize_multiplier(real)


@given(requantizations())
@example((2**31 - 1, 2**31 - 1, 0))
@example((-(2**31), 2**31 - 1, -31))
@example((-1, 2**30, 0))
@example((1, 2**30, -31))
def test_double_rounding_rounds_the_high_product_then_the_shift(case):
    x, multiplier, shift = case
    high = half_up(Fraction((x << max(shift, 0)) * multiplier, 2**31))
    expected = half_away(Fraction(high, 2 ** max(-shift, 0)))
    result = requantize(np.array([x]), multiplier, shift, Rounding.DOUBLE)
    assert result.dtype == np.int64 and result.tolist() == [expected]


@given(requantizations())
@example((2**31 - 1, 2**31 - 1, -31))
@example((-1, 2**30, 0))
def test_single_rounding_rounds_once_with_ties_up(case):
    x, multiplier, shift = case
    expected = half_up(Fraction(x * multiplier) * Fraction(2) ** (shift - 31))
    assert requantize(np.array([x]), multiplier, shift, Rounding.SINGLE).tolist() == [expected]


@given(requantizations())
def test_the_roundings_differ_by_one_at_most(case):
    x, multiplier, shift = case
    results = [requantize(np.array([x]), multiplier, shift, r)[0] for r in Rounding]
    exact = Fraction(x * multiplier) * Fraction(2) ** (shift - 31)
    assert abs(results[0] - results[1]) <= 1
    assert abs(results[1] - exact) <= Fraction(1, 2)
    assert abs(results[0] - exact) <= 1


@given(st.lists(requantizations(), min_size=1, max_size=9), st.sampled_from(Rounding))
def test_channels_are_requantized_each_with_its_own_factor(cases, rounding):
    x, multiplier, shift = (np.array(column) for column in zip(*cases, strict=True))
    rows = np.stack([x, x // 3])
    result = requantize(rows, multiplier.astype(np.int32), shift.astype(np.int32), rounding)
    for row, values in zip(result, rows, strict=True):
        for got, value, (_, m, s) in zip(row, values, cases, strict=True):
            assert got == requantize_by(np.array([value]), Multiplier(m, s), rounding)[0]


def test_requantizing_leaves_its_input_alone():
    x = np.arange(-5, 6, dtype=np.int64)
    for rounding in Rounding:
        requantize(x, 2**30, -1, rounding)
    assert x.tolist() == list(range(-5, 6))


@given(INT32, INT32)
@example(-(2**31), -(2**31))
@example(-(2**31), 2**31 - 1)
def test_high_product_of_32_bits(a, b):
    expected = min(half_up(Fraction(a * b, 2**31)), 2**31 - 1)
    assert int(high_product(np.array([a]), b)[0]) == expected


@given(st.integers(-(2**15), 2**15 - 1), st.integers(-(2**15), 2**15 - 1))
@example(-(2**15), -(2**15))
def test_high_product_of_16_bits(a, b):
    expected = min(half_up(Fraction(a * b, 2**15)), 2**15 - 1)
    assert int(high_product(np.array([a]), b, 16)[0]) == expected


@given(st.integers(-(2**40), 2**40), st.integers(0, 40))
@example(-3, 1)
@example(3, 1)
@example(-1, 0)
def test_divide_by_power_rounds_ties_away_from_zero(x, exponent):
    assert int(divide_by_power(np.array([x]), exponent)[0]) == half_away(Fraction(x, 2**exponent))


@given(INT32, st.integers(0, 30))
def test_shift_left_saturates(x, amount):
    expected = min(max(x << amount, -(2**31)), 2**31 - 1)
    assert int(shift_left(np.array([x]), amount)[0]) == expected
