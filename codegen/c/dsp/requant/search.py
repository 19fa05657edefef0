"""Finds the cheapest instructions that are proven to requantize as the reference does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from tinyflow.codegen.c.dsp.requant import arithmetic
from tinyflow.codegen.c.dsp.requant.generic import GenericRequant
from tinyflow.codegen.c.dsp.requant.saturation import saturations
from tinyflow.codegen.c.dsp.requant.short import ShortRequant, SignFix, SignWay
from tinyflow.codegen.c.dsp.requant.thresholds import Shape, Thresholds, constants
from tinyflow.ir import Rounding
from tinyflow.ir.integer import AccumulateForm

Requant: TypeAlias = ShortRequant | GenericRequant

PRESHIFT = 8
"""How far up pre-shifted accumulators stand: the pair trick and pre-scaled weights make a << 8."""

_NEAR = np.array([0, 1, -1, 2, -2, 3, -3, 4, -4, 6, -6, 8, -8, 12, -12, 16, -16, 32, -32, 64, -64])
"""What is tried on multipliers, next to the reference's own shifted right."""

_GENERIC_LOADS = 2
"""Cycles to load what only the generic form needs; and one form a layer makes simpler blocks."""

_WAYS_UP = (1, 4, 8)
_MOST_BASES = 4


@dataclass(frozen=True, eq=False)
class Problem:
    """``clamp(requantize(acc, multiplier, shift) + zero, lo, hi)`` per channel, to be computed.

    ``multiplier`` and ``shift`` are integers [channels]. Accumulators lie within
    [``acc_lo``, ``acc_hi``] (int64 [channels]), where ``|acc << max(shift, 0)| < 2**31``, and
    come in a register times ``2**register_shift``.
    """

    multiplier: np.ndarray
    shift: np.ndarray
    rounding: Rounding
    zero: int
    lo: int
    hi: int
    acc_lo: np.ndarray
    acc_hi: np.ndarray
    register_shift: int = 0

    def __post_init__(self) -> None:
        if not -128 <= self.lo <= self.hi <= 127:
            raise ValueError(f"no int8 codes: {self.lo} to {self.hi}")
        if (self.acc_lo > self.acc_hi).any():
            raise ValueError("a range of accumulators is empty")
        left = np.maximum(self.shift, 0).astype(np.int64)
        largest = np.maximum(-self.acc_lo, self.acc_hi)
        if (largest << left > arithmetic.INT32_MAX).any():
            raise ValueError("the reference is not defined where a left shift leaves 32 bits")

    def reference(self, acc: np.ndarray) -> np.ndarray:
        """Codes (int64) of accumulators [..., channels]."""
        value = arithmetic.requantize(
            acc, self.multiplier.astype(np.int64), self.shift.astype(np.int64), self.rounding
        )
        return np.clip(value + self.zero, self.lo, self.hi)

    @cached_property
    def thresholds(self) -> Thresholds:
        return Thresholds.of(self.reference, self.acc_lo, self.acc_hi)

    @cached_property
    def varies(self) -> np.ndarray:
        """Per channel: more than one code can be reached."""
        return self.thresholds.first < self.thresholds.last

    @cached_property
    def generic(self) -> GenericRequant:
        return GenericRequant(
            self.multiplier,
            self.shift,
            self.rounding,
            self.zero,
            self.lo,
            self.hi,
            self.acc_lo,
            self.acc_hi,
            self.register_shift,
        )


def find_requant(
    form: AccumulateForm,
    acc_lo: np.ndarray,
    acc_hi: np.ndarray,
    out_zero: int,
    rounding: Rounding,
    preshifted: bool,
    register_shift: int | None = None,
    uniform: bool = False,
) -> Requant:
    """The cheapest instructions for a layer, for accumulators within [acc_lo, acc_hi].

    ``preshifted``: the kernel's register holds the accumulator times 256; else, or if
    ``register_shift`` is given, times ``2**register_shift`` (Winograd sums: 1). ``uniform``: one
    form must serve all channels.
    """
    if register_shift is None:
        register_shift = PRESHIFT if preshifted else 0
    acc_lo, acc_hi = np.asarray(acc_lo, dtype=np.int64), np.asarray(acc_hi, dtype=np.int64)
    return search(
        Problem(
            form.multiplier,
            form.shift,
            rounding,
            out_zero,
            form.lo,
            form.hi,
            acc_lo,
            acc_hi,
            register_shift,
        ),
        uniform,
    )


def search(problem: Problem, uniform: bool = False) -> Requant:
    """The form that takes the fewest cycles over all channels together.

    Channels that take the generic form count `_GENERIC_LOADS` cycles more. Ties go to the form
    that is tried first: fewer instructions, then the finer multipliers. ``uniform``: a short form
    is only taken if it is proven for all channels.
    """
    best: Requant = problem.generic
    channels = len(problem.multiplier)
    generic = problem.generic.cycles + _GENERIC_LOADS
    least = channels * generic
    for base, shape in sorted(_shapes(problem), key=lambda s: _cycles(s[1], problem)):
        if channels * _cycles(shape, problem) >= least:
            break
        found = _fit(problem, shape, base)
        proven = int(found.short.sum())
        if uniform and proven < channels:
            continue
        total = proven * found.cycles + (channels - proven) * generic
        if total < least:
            best, least = found, total
    return best


def _cycles(shape: Shape, problem: Problem) -> int:
    sign = 0 if shape.sign is None else shape.sign.cycles
    return (shape.up > problem.register_shift) + sign + 1 + shape.saturation.cycles


def _shapes(problem: Problem) -> Iterator[tuple[int, Shape]]:
    """What may be tried, each with the reference's right shift that it takes for its own."""
    rights = -problem.shift[problem.varies].astype(np.int64)
    values, counts = np.unique(rights if len(rights) else np.zeros(1, int), return_counts=True)
    # The layer's smallest shift first: with it every channel has a multiplier of 31 bits.
    often = values[1:][np.argsort(-counts[1:], kind="stable")]
    bases = [int(values[0]), *map(int, often)][:_MOST_BASES]
    start = problem.register_shift
    for up in dict.fromkeys((start, *(up for up in _WAYS_UP if up > start))):
        for base in bases:
            shift = base - 1 + up
            if not 1 <= shift <= 31:
                continue
            for way in saturations(problem.lo, problem.hi):
                for sign in _signs(problem, up, base):
                    for rounded in (True, False) if up <= 1 else (False,):
                        yield base, Shape(up, rounded, shift, sign, way)


def _signs(problem: Problem, up: int, base: int) -> Iterator[SignFix | None]:
    """One unit of the high product less for negative values: its size in t, per shift."""
    yield None
    if problem.rounding is Rounding.SINGLE or up < 1:
        return
    drops = np.unique(-problem.shift[problem.varies].astype(np.int64)) - base
    for drop in map(int, drops[(drops >= 0) & (drops < up)]):
        if drop == up - 1:
            yield SignFix(SignWay.STEP)
        else:
            yield SignFix(SignWay.SLOPE, up - 1 - drop)
            yield SignFix(SignWay.SPLIT, up - 1 - drop)
    if up >= 2:
        yield SignFix(SignWay.MIRROR)


def _fit(problem: Problem, shape: Shape, base: int) -> ShortRequant:
    """The tables for a shape, and for which channels they are proven."""
    mirrored = shape.sign is not None and shape.sign.way is SignWay.MIRROR
    drop = np.maximum(-problem.shift.astype(np.int64) - base, 0)
    # Half a unit of the high product, which double rounding rounds on its own.
    unit = np.zeros_like(drop)
    if problem.rounding is Rounding.DOUBLE and shape.up >= 2:
        unit = np.int64(1) << np.maximum(shape.up - 2 - drop, 0)
    mirror = np.where(problem.varies & mirrored, unit, 0)
    centre = ((problem.zero - shape.saturation.base) << shape.shift) + (1 << (shape.shift - 1))
    centre = int(np.clip(centre, arithmetic.INT32_MIN, arithmetic.INT32_MAX))
    tried = _multipliers(problem, shape, drop)
    low, high = constants(shape, tried[:1], mirror, problem.thresholds)
    wanted = centre if mirrored else _common(low, high, centre + np.unique(unit))
    if ((low > wanted) | (high < wanted)).any():
        low, high = constants(shape, tried, mirror, problem.thresholds)
        if not mirrored:
            wanted = _common(low, high, centre + np.arange(-1, int(unit.max()) + 2))
    # argmax finds the first of the best: nearest to the reference's own multiplier.
    shared = (low <= wanted) & (wanted <= high)
    best = np.argmax(2 * shared + (low <= high), axis=0), np.arange(low.shape[1])
    low, high, multiplier = low[best], high[best], tried[best]
    short = shared[best] if mirrored else low <= high
    constant = np.where(short, np.clip(wanted, low, np.maximum(low, high)), 0)
    return ShortRequant(
        register_shift=problem.register_shift,
        lift=shape.up - problem.register_shift,
        rounded=shape.rounded,
        multiplier=np.where(short, multiplier, 0).astype(np.int32),
        constant=constant.astype(np.int32),
        mirror=np.where(short, mirror, 0).astype(np.int32),
        shift=shape.shift,
        sign=shape.sign,
        saturation=shape.saturation,
        short=short,
        generic=problem.generic,
    )


def _multipliers(problem: Problem, shape: Shape, drop: np.ndarray) -> np.ndarray:
    """The reference's multipliers, shifted right by ``drop``, and their neighbours, nearest
    first: int64 [tries, channels]. They are 0 where only one code can be reached."""
    half = (np.int64(1) << drop) >> 1
    slope = 0 if shape.sign is None else shape.sign.slope
    scaled = ((problem.multiplier.astype(np.int64) + half) >> drop) + slope
    near = np.clip(scaled + _NEAR[:, None], 0, arithmetic.INT32_MAX)
    return np.where(problem.varies, near, 0)


def _common(low: np.ndarray, high: np.ndarray, candidates: np.ndarray) -> int:
    """The candidate that fits the most channels: it needs no table if it fits them all."""
    fits = (low <= candidates[:, None, None]) & (candidates[:, None, None] <= high)
    return int(candidates[fits.any(axis=1).sum(axis=1).argmax()])
