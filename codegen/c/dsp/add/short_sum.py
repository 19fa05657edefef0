"""Finds one linear form that equals ADD or SUB for every pair of codes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from tinyflow.codegen.c.dsp.requant import Saturation, arithmetic
from tinyflow.codegen.c.dsp.requant.saturation import saturations
from tinyflow.ir import Multiplier, Rounding

CODES = np.arange(-128, 128, dtype=np.int64)

_LIFT = 8
"""Codes stand in the upper byte of a half-word."""

_FACTOR_SHIFT = 16 - _LIFT
"""SMLAW drops 16 bits of the product with the lifted code."""

_LARGEST_SHIFT = 30

_NEAR = (0, 1, -1, 2, -2, 4, -4, 8, -8, 16, -16, 32, -32, 64, -64)
"""What is tried on both factors."""

_FIRST_TRIES = 13
"""Pairs of factors that are tried without the sign before any is tried with it."""


@dataclass(frozen=True)
class AddProblem:
    """``clamp(requantize(requantize((a - a_zero) << left) +- requantize(...)) + zero, lo, hi)``,
    as in `tinyflow.ir.integer.AddForm`."""

    left_shift: int
    a_factor: Multiplier
    b_factor: Multiplier
    factor: Multiplier
    a_zero: int
    b_zero: int
    zero: int
    lo: int
    hi: int
    subtract: bool
    rounding: Rounding

    def reference(self) -> np.ndarray:
        """The code of each pair of codes, int64 [256, 256]."""
        a = self._requantize((CODES - self.a_zero) << self.left_shift, self.a_factor)
        b = self._requantize((CODES - self.b_zero) << self.left_shift, self.b_factor)
        total = a[:, None] + (-b if self.subtract else b)
        return np.clip(self._requantize(total, self.factor) + self.zero, self.lo, self.hi)

    def _requantize(self, x: np.ndarray, factor: Multiplier) -> np.ndarray:
        multiplier, shift = np.int64(factor.multiplier), np.int64(factor.shift)
        return arithmetic.requantize(x, multiplier, shift, self.rounding)

    def slopes(self) -> tuple[float, float]:
        """Codes of the result per code of each operand."""
        a, b = (
            _real(factor) * _real(self.factor) * 2.0**self.left_shift
            for factor in (self.a_factor, self.b_factor)
        )
        return a, -b if self.subtract else b


@dataclass(frozen=True)
class ShortSum:
    """``t = (a_factor * (a << 8) >> 16) + (b_factor * (b << 8) >> 16) + start``, which is two
    SMLAW; the code is ``saturation(t >> shift)``. Factors and constants are int32.

    With ``by_sign`` t is the sum less its zero: 1 is subtracted where it is negative, so that ties
    go away from zero, and then ``constant`` is added.
    """

    a_factor: int
    b_factor: int
    start: int
    shift: int
    saturation: Saturation
    by_sign: bool = False
    constant: int = 0

    def apply(self) -> np.ndarray:
        """The code of each pair of codes, int64 [256, 256]."""
        t = arithmetic.wrap(_products(self.a_factor, self.b_factor) + self.start)
        if self.by_sign:
            t = arithmetic.wrap(t + (t >> 31) + self.constant)
        return self.saturation.apply(t, self.shift)


@lru_cache(maxsize=64)
def find_short_sum(problem: AddProblem) -> ShortSum | None:
    """The cheapest form that gives the reference's code for each of the 65536 pairs, if one was
    found."""
    codes = problem.reference()
    slopes = problem.slopes()
    shift = _finest_shift(problem, slopes)
    if shift < 1:
        return None
    a_nearest, b_nearest = (round(slope * 2.0 ** (shift + _FACTOR_SHIFT)) for slope in slopes)
    ways = [way for way in saturations(problem.lo, problem.hi) if _within(way, codes)]
    steps = _neighbours()
    for nearby in (steps[:_FIRST_TRIES], steps[_FIRST_TRIES:]):
        for fit, (a_more, b_more), way in product((_fit, _fit_by_sign), nearby, ways):
            a_factor, b_factor = a_nearest + a_more, b_nearest + b_more
            found = fit(problem, codes, a_factor, b_factor, shift, way)
            if found is not None:
                assert (found.apply() == codes).all()
                return found
    return None


def _fit(
    problem: AddProblem,
    codes: np.ndarray,
    a_factor: int,
    b_factor: int,
    shift: int,
    way: Saturation,
) -> ShortSum | None:
    low, high = _constants(_products(a_factor, b_factor), codes, shift, way)
    if low > high:
        return None
    return ShortSum(a_factor, b_factor, (low + high) // 2, shift, way)


def _fit_by_sign(
    problem: AddProblem,
    codes: np.ndarray,
    a_factor: int,
    b_factor: int,
    shift: int,
    way: Saturation,
) -> ShortSum | None:
    """The form that rounds ties away from zero, where sums fall halfway between two codes."""
    start = -(a_factor * problem.a_zero + b_factor * problem.b_zero >> _FACTOR_SHIFT)
    t = _products(a_factor, b_factor) + start
    low, high = _constants(t + (t >> 31), codes, shift, way)
    if low > high:
        return None
    return ShortSum(a_factor, b_factor, start, shift, way, True, (low + high) // 2)


def _real(factor: Multiplier) -> float:
    return factor.multiplier * 2.0 ** (factor.shift - 31)


def _neighbours() -> list[tuple[int, int]]:
    """Nearest first, so that most layers need one look."""
    steps = [(a, b) for a in _NEAR for b in _NEAR]
    return sorted(steps, key=lambda step: abs(step[0]) + abs(step[1]))


def _products(a_factor: int, b_factor: int) -> np.ndarray:
    a, b = (((CODES << _LIFT) * factor) >> 16 for factor in (a_factor, b_factor))
    return a[:, None] + b


def _finest_shift(problem: AddProblem, slopes: tuple[float, float]) -> int:
    """The largest shift whose factors and sums stay within 32 bits."""
    steepest = max(abs(slope) for slope in slopes)
    # The sum without the zero points and the constant that brings them: both stay below this.
    largest = 256 * sum(abs(slope) for slope in slopes) + 256
    for shift in range(_LARGEST_SHIFT, 0, -1):
        fits = steepest * 2.0 ** (shift + _FACTOR_SHIFT) < arithmetic.INT32_MAX - max(_NEAR)
        if fits and largest * 2.0**shift < arithmetic.INT32_MAX:
            return shift
    return 0


def _within(way: Saturation, codes: np.ndarray) -> bool:
    return way.lowest <= codes.min() and codes.max() <= way.highest


def _constants(t: np.ndarray, codes: np.ndarray, shift: int, way: Saturation) -> tuple[int, int]:
    """The least and the greatest constant that give every pair its code; none where the least
    is the greater one. ``way`` imposes both of the codes' bounds, or they are not passed."""
    never = np.int64(2**40)
    start = (codes - way.base) << shift
    low = np.where(codes > way.lowest, start - t, -never).max()
    high = np.where(codes < way.highest, start + (1 << shift) - 1 - t, never).min()
    # No sum may wrap.
    low = max(low, arithmetic.INT32_MIN, arithmetic.INT32_MIN - t.min())
    high = min(high, arithmetic.INT32_MAX, arithmetic.INT32_MAX - t.max())
    return int(low), int(high)
