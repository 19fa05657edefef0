"""The generic form: multiplier and shift per channel, equal to the reference by construction."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tinyflow.codegen.c.dsp.requant import arithmetic
from tinyflow.codegen.c.dsp.requant.saturation import Saturation, complete_saturation
from tinyflow.ir import Rounding


@dataclass(frozen=True, eq=False)
class GenericRequant:
    """``clamp(requantize(acc, multiplier, shift) + zero, lo, hi)`` for accumulators within
    [acc_lo, acc_hi] (int64, per channel), held times ``2**register_shift`` in a register.

    The steps, all of which `emit_generic` writes and `apply` follows bit for bit:

    1. ``up_by`` bits down to the plain accumulator if the next step is per channel; then ``left``
       bits up, per channel or one immediate.
    2. The high half of the product with the multiplier: rounded for double rounding, floor for
       single. Where the doubled accumulator may leave 32 bits (``wide``), from the 64-bit product.
    3. Double rounding: one less where negative, so that the next step's ties go away from zero.
    4. A right shift by ``right`` whose carry, the last bit shifted out, is added with the zero
       point. A shift by 0 keeps the carry as it was.
    5. The saturation.
    """

    multiplier: np.ndarray
    shift: np.ndarray
    rounding: Rounding
    zero: int
    lo: int
    hi: int
    acc_lo: np.ndarray
    acc_hi: np.ndarray
    register_shift: int

    @property
    def short(self) -> np.ndarray:
        """No channel takes a short form."""
        return np.zeros(len(self.multiplier), dtype=bool)

    @property
    def generic(self) -> GenericRequant:
        return self

    @cached_property
    def holds(self) -> np.ndarray:
        """Per channel: the register holds every reachable accumulator without wrapping."""
        lowest, highest = self.acc_lo << self.register_shift, self.acc_hi << self.register_shift
        return (lowest >= arithmetic.INT32_MIN) & (highest <= arithmetic.INT32_MAX)

    @cached_property
    def saturation(self) -> Saturation:
        return complete_saturation(self.lo, self.hi)

    @cached_property
    def _largest(self) -> np.ndarray:
        """A bound of ``|acc|`` per channel, where the register holds it."""
        return np.where(self.holds, np.maximum(-self.acc_lo, self.acc_hi), 0)

    @cached_property
    def _doubles(self) -> np.ndarray:
        """Bits that each channel must go up so that the high half has the bits to round by."""
        left = np.maximum(self.shift.astype(np.int64), 0)
        return left + (1 if self.rounding is Rounding.DOUBLE else 1 + (self.shift >= 0))

    @cached_property
    def wide(self) -> bool:
        """Whether some accumulator has no room for its way up: the 64-bit product is needed."""
        return bool((self._largest << self._doubles > arithmetic.INT32_MAX).any())

    @cached_property
    def left(self) -> np.ndarray:
        """Bits up from the plain accumulator, int64 per channel."""
        if self.wide:
            return np.maximum(self.shift.astype(np.int64), 0)
        if self.rounding is Rounding.SINGLE:
            # Any way up serves that is far enough, so the one that costs nothing comes first.
            enough = int(self._doubles.max())
            for bits in (self.register_shift, enough):
                if bits >= enough and (self._largest << bits <= arithmetic.INT32_MAX).all():
                    return np.full(len(self.shift), bits, dtype=np.int64)
        return self._doubles

    @property
    def common_left(self) -> int | None:
        """The `left` of all channels, if it is one: then it needs no table."""
        return int(self.left[0]) if (self.left == self.left[0]).all() else None

    @cached_property
    def right(self) -> np.ndarray:
        """Bits down after the product, int64 per channel, 0 to 38."""
        if self.wide or self.rounding is Rounding.DOUBLE:
            return np.maximum(-self.shift.astype(np.int64), 0)
        return self.left - 1 - self.shift.astype(np.int64)

    @property
    def nudge_by_channel(self) -> bool:
        """Whether step 3 must leave the channels alone that are not shifted."""
        return self.rounding is Rounding.DOUBLE and bool((self.right == 0).any())

    @property
    def cycles(self) -> int:
        """Cycles per output, without loads and the store."""
        common = self.common_left
        lift = int(common != self.register_shift)
        if common is None and self.register_shift > 0:
            lift = 2
        product = 1
        if self.wide:
            product = 5 if self.rounding is Rounding.DOUBLE else 4
        nudge = 0
        if self.rounding is Rounding.DOUBLE:
            nudge = 3 if self.nudge_by_channel else 1
        return lift + product + nudge + 1 + self._zero_cycles + self.saturation.cycles

    @property
    def offset(self) -> int:
        """What is added to the shifted product before the saturation."""
        return self.zero - self.saturation.base

    @property
    def _zero_cycles(self) -> int:
        """Of the carry and the offset: one ADC or SBC of 8 bits; wide values saturate between."""
        if self.wide:
            return 2 + (self.offset != 0)
        return 1 if -256 <= self.offset <= 255 else 2

    def apply(self, acc: np.ndarray) -> np.ndarray:
        """Codes (int64) of accumulators [..., channels], as the instructions compute them."""
        x = arithmetic.wrap(np.asarray(acc, dtype=np.int64) << self.register_shift)
        common = self.common_left
        if common is None:
            x = arithmetic.wrap((x >> self.register_shift) << self.left)
        else:
            x = arithmetic.wrap(x << max(common - self.register_shift, 0))
            x = x >> max(self.register_shift - common, 0)
        high, carry = self._product(x)
        if self.rounding is Rounding.DOUBLE:
            high = arithmetic.wrap(high + np.where(self.right > 0, high >> 31, 0))
        last = np.maximum(self.right - 1, 0)
        carry = np.where(self.right > 0, (high >> last) & 1, carry)
        code = arithmetic.wrap((high >> self.right) + carry)
        if self.wide:
            code = arithmetic.saturate(code, 16, True)
        return self.saturation.apply(code + self.offset, 0)

    def _product(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The high half, and the carry that a shift by 0 finds."""
        multiplier = self.multiplier.astype(np.int64)
        double = self.rounding is Rounding.DOUBLE
        if not self.wide:
            high = arithmetic.smmla(x, multiplier, 0, rounded=double)
            return high, np.zeros_like(high)
        product = x * multiplier * 2
        bit = (product >> 31) & 1
        high = arithmetic.wrap(product >> 32)
        if double:
            return arithmetic.wrap(high + bit), np.zeros_like(high)
        return high, bit
