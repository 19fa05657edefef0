"""Where the reference's codes step up, and which constants step there too.

Reference and short form are monotone in the accumulator, so they are equal over a range if and
only if they are equal on both sides of each of the reference's steps, and at the ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinyflow.codegen.c.dsp.requant import arithmetic
from tinyflow.codegen.c.dsp.requant.saturation import Saturation
from tinyflow.codegen.c.dsp.requant.short import SignFix, SignWay


@dataclass(frozen=True, eq=False)
class Thresholds:
    """The reference over accumulators [lo, hi] (int64 [channels]).

    It goes from code ``first`` to ``last`` ([channels]). ``codes`` [n, channels] are the codes
    above ``first``, and ``at`` the smallest accumulators that reach them, where ``steps`` is true.
    """

    lo: np.ndarray
    hi: np.ndarray
    first: np.ndarray
    last: np.ndarray
    codes: np.ndarray
    at: np.ndarray
    steps: np.ndarray

    @classmethod
    def of(
        cls, reference: Callable[[np.ndarray], np.ndarray], lo: np.ndarray, hi: np.ndarray
    ) -> Thresholds:
        """``reference`` maps accumulators [..., channels] to codes, and never falls."""
        first, last = reference(lo), reference(hi)
        codes = first + 1 + np.arange(max(int((last - first).max()), 0))[:, None]
        steps = codes <= last
        # Invariant: the reference is below the code at `low` and reaches it at `high`.
        low, high = np.broadcast_to(lo, codes.shape), np.broadcast_to(hi, codes.shape)
        while (high - low > 1).any():
            middle = (low + high) >> 1
            reached = reference(middle) >= codes
            low, high = np.where(reached, low, middle), np.where(reached, middle, high)
        return cls(lo, hi, first, last, codes, high, steps)

    def channels(self, chosen: np.ndarray) -> Thresholds:
        """Those of some channels (a mask or indices)."""
        return Thresholds(
            self.lo[chosen],
            self.hi[chosen],
            self.first[chosen],
            self.last[chosen],
            self.codes[:, chosen],
            self.at[:, chosen],
            self.steps[:, chosen],
        )


@dataclass(frozen=True)
class Shape:
    """A short form without its tables. ``up`` is how far up the accumulator stands in all."""

    up: int
    rounded: bool
    shift: int
    sign: SignFix | None
    saturation: Saturation


def constants(
    shape: Shape, multiplier: np.ndarray, mirror: np.ndarray, t: Thresholds
) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and highest constant that make the short form equal to the reference.

    ``multiplier`` is int64 [..., channels], at least 0; so are the results. A lowest above its
    highest means that there is no constant. Where the multiplier is 0 the register's value does
    not matter, elsewhere it must hold the accumulators. ``mirror`` is int64 [channels], 0 where the
    multiplier is.
    """
    multiplier = np.asarray(multiplier, dtype=np.int64)[..., None, :]
    low, high = _bounds(shape, multiplier, mirror, t)
    flat = (multiplier == 0)[..., 0, :]
    if flat.any():
        least, most = _constant_codes(shape, t)
        low, high = np.where(flat, least, low), np.where(flat, most, high)
    low = np.maximum(low, arithmetic.INT32_MIN)
    return low, np.minimum(high, arithmetic.INT32_MAX)


def _bounds(
    shape: Shape, multiplier: np.ndarray, mirror: np.ndarray, t: Thresholds
) -> tuple[np.ndarray, np.ndarray]:
    """As `constants`, for registers that hold their accumulators."""
    way = shape.saturation

    def rise(acc: np.ndarray) -> np.ndarray:
        """What is added to the constant."""
        register = acc << shape.up
        value = (register * multiplier + (shape.rounded << 31)) >> 32
        return value if shape.sign is None else value + shape.sign.apply(register, mirror)

    def start(code: np.ndarray) -> np.ndarray:
        """The smallest t whose code is not below ``code``."""
        return (code - way.base) << shape.shift

    never = np.int64(2**60)
    # A code that the saturation imposes is reached, or not passed, whatever t is.
    must_reach = t.steps & (t.codes > way.lowest)
    must_not = t.steps & (t.codes <= way.highest)
    at_steps = np.where(must_reach, start(t.codes) - rise(t.at), -never)
    before = np.where(must_not, start(t.codes) - 1 - rise(t.at - 1), never)
    lowest, highest = rise(t.lo)[..., 0, :], rise(t.hi)[..., 0, :]
    low = np.where(t.first > way.lowest, start(t.first) - lowest, -never)
    high = np.where(t.last < way.highest, start(t.last + 1) - 1 - highest, never)
    low = np.maximum(low, at_steps.max(axis=-2, initial=-never))
    high = np.minimum(high, before.min(axis=-2, initial=never))
    # The sum must not wrap; it is monotone, so the ends say it.
    low = np.maximum(low, arithmetic.INT32_MIN - lowest)
    high = np.minimum(high, arithmetic.INT32_MAX - highest)
    register_lo, register_hi = t.lo << shape.up, t.hi << shape.up
    possible = (register_lo >= arithmetic.INT32_MIN) & (register_hi <= arithmetic.INT32_MAX)
    possible &= (t.first >= way.lowest) & (t.last <= way.highest)
    if shape.sign is not None and shape.sign.slope:
        # Else the falling slope could outrun the product, and the sum would not be monotone.
        possible = possible & ((multiplier[..., 0, :] << shape.up) >> 32 >= 1)
    return np.where(possible, low, never), np.where(possible, high, -never)


# The most that the constant is lowered by, whatever the register holds, where `mirror` is 0.
_DROPS: dict[SignWay, Callable[[int], int]] = {
    SignWay.STEP: lambda bits: 1,
    SignWay.SLOPE: lambda bits: (1 << bits) - 1,
    SignWay.SPLIT: lambda bits: 1 << bits,
    SignWay.MIRROR: lambda bits: 0,
}


def _constant_codes(shape: Shape, t: Thresholds) -> tuple[np.ndarray, np.ndarray]:
    """As `constants`, for a multiplier of 0 and any register: only one code can be meant."""
    drop = 0 if shape.sign is None else _DROPS[shape.sign.way](shape.sign.bits)
    base = (t.first - shape.saturation.base) << shape.shift
    way = shape.saturation
    possible = (t.first == t.last) & (t.first >= way.lowest) & (t.first <= way.highest)
    low, high = base + drop, base + (1 << shape.shift) - 1
    return np.where(possible, low, 1), np.where(possible, high, 0)
