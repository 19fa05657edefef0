"""The short form: one multiplication, one saturating shift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyflow.codegen.c.dsp.requant import arithmetic
from tinyflow.codegen.c.dsp.requant.generic import GenericRequant
from tinyflow.codegen.c.dsp.requant.saturation import Saturation


@dataclass(frozen=True)
class SignFix:
    """Lowers the constant by ``2**bits`` where the accumulator is negative.

    ``split`` takes two instructions, ASR #31 and an ADD. Otherwise one SUB of the accumulator's
    top ``bits`` bits, unsigned, does it: these hold the wanted jump and a slope besides, which
    the multiplier makes up for by ``2**bits``. With 0 bits one ADD of ASR #31 is exact.
    """

    bits: int
    split: bool

    @property
    def slope(self) -> int:
        """What the multiplier must be larger by."""
        return 0 if self.split or self.bits == 0 else 1 << self.bits

    @property
    def cycles(self) -> int:
        return 2 if self.split and self.bits else 1

    def apply(self, register: np.ndarray) -> np.ndarray:
        """What is added to the constant, for the accumulator as the register holds it."""
        if self.split or self.bits == 0:
            return (register >> 31) << self.bits
        return -((register & 0xFFFFFFFF) >> (32 - self.bits))


@dataclass(frozen=True, eq=False)
class ShortRequant:
    """``t = SMMLA(acc, multiplier, constant [+ sign]); code = saturation(t >> shift)``.

    ``acc`` is the accumulator times ``2**register_shift`` as the kernel holds it; ``lift`` more
    bits are shifted in first. ``multiplier`` and ``constant`` are int32, one per channel,
    ``shift`` is one immediate, 1 to 31. ``short`` tells, per channel, where this is proven equal
    to the reference; elsewhere ``generic``, which is right for every channel, must be used.
    """

    register_shift: int
    lift: int
    rounded: bool
    multiplier: np.ndarray
    constant: np.ndarray
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
            constant = arithmetic.wrap(constant + self.sign.apply(register))
        t = arithmetic.smmla(register, self.multiplier.astype(np.int64), constant, self.rounded)
        return self.saturation.apply(t, self.shift)
