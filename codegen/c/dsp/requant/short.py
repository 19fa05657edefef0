"""The short form: one multiplication, one saturating shift."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np

from tinyflow.codegen.c.dsp.requant import arithmetic
from tinyflow.codegen.c.dsp.requant.generic import GenericRequant
from tinyflow.codegen.c.dsp.requant.saturation import Saturation


class SignWay(Enum):
    """How the constant is lowered where the accumulator is negative, by ``2**bits``."""

    STEP = "step"
    """One ADD of the accumulator's ASR #31; ``bits`` is 0."""
    SLOPE = "slope"
    """One SUB of the accumulator's top ``bits`` bits, unsigned: these hold the wanted jump and a
    slope besides, which the multiplier makes up for by ``2**bits``."""
    SPLIT = "split"
    """ASR #31, and an ADD of that times ``2**bits``."""
    MIRROR = "mirror"
    """A second constant per channel, ``mirror``, is added or, where negative, subtracted: an EORS
    with ASR #32, which complements it and sets the carry, and an ADC. Any jump for any channel."""


@dataclass(frozen=True)
class SignFix:
    """Ties of negative values go away from zero: their constant is smaller."""

    way: SignWay
    bits: int = 0

    @property
    def slope(self) -> int:
        """What the multiplier must be larger by."""
        return 1 << self.bits if self.way is SignWay.SLOPE else 0

    @property
    def cycles(self) -> int:
        return 1 if self.way in (SignWay.STEP, SignWay.SLOPE) else 2

    def apply(self, register: np.ndarray, mirror: np.ndarray) -> np.ndarray:
        """What is added to the constant, for the accumulator as the register holds it."""
        return _SIGN_WAYS[self.way](register, self.bits, mirror)


_SIGN_WAYS: dict[SignWay, Callable[[np.ndarray, int, np.ndarray], np.ndarray]] = {
    SignWay.STEP: lambda register, bits, mirror: register >> 31,
    SignWay.SLOPE: lambda register, bits, mirror: -((register & 0xFFFFFFFF) >> (32 - bits)),
    SignWay.SPLIT: lambda register, bits, mirror: (register >> 31) << bits,
    SignWay.MIRROR: lambda register, bits, mirror: np.where(register < 0, -mirror, mirror),
}


@dataclass(frozen=True, eq=False)
class ShortRequant:
    """``t = SMMLA(acc, multiplier, constant [+ sign]); code = saturation(t >> shift)``.

    ``acc`` is the accumulator times ``2**register_shift`` as the kernel holds it; ``lift`` more
    bits are shifted in first. ``multiplier``, ``constant`` and ``mirror`` are int32, one per
    channel; ``mirror`` counts only with `SignWay.MIRROR`, and then the constant is common.
    ``shift`` is one immediate, 1 to 31. ``short`` tells, per channel, where this is proven equal
    to the reference; elsewhere ``generic``, which is right for every channel, must be used.
    """

    register_shift: int
    lift: int
    rounded: bool
    multiplier: np.ndarray
    constant: np.ndarray
    mirror: np.ndarray
    shift: int
    sign: SignFix | None
    saturation: Saturation
    short: np.ndarray
    generic: GenericRequant

    @property
    def holds(self) -> np.ndarray:
        """Per channel: the register holds every reachable accumulator, or need not."""
        return self.generic.holds | self.short

    @property
    def common_constant(self) -> int | None:
        """The constant that all short channels share, if they do: then it needs no table."""
        values = np.unique(self.constant[self.short])
        return int(values[0]) if len(values) == 1 else None

    @property
    def cycles(self) -> int:
        """Cycles per output of a short channel, without loads and the store."""
        sign = 0 if self.sign is None else self.sign.cycles
        return (self.lift > 0) + sign + 1 + self.saturation.cycles

    def apply(self, acc: np.ndarray) -> np.ndarray:
        """Codes (int64) of accumulators [..., channels], as the instructions compute them."""
        return np.where(self.short, self.apply_short(acc), self.generic.apply(acc))

    def apply_short(self, acc: np.ndarray) -> np.ndarray:
        """As `apply`, with the short form for every channel, proven or not."""
        register = arithmetic.wrap(np.asarray(acc, dtype=np.int64) << self.register_shift)
        register = arithmetic.wrap(register << self.lift)
        constant = self.constant.astype(np.int64)
        if self.sign is not None:
            constant = arithmetic.wrap(constant + self.sign.apply(register, self.mirror))
        t = arithmetic.smmla(register, self.multiplier.astype(np.int64), constant, self.rounded)
        return self.saturation.apply(t, self.shift)
