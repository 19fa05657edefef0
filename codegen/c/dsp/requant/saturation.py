"""The last instructions of a requantization: a saturating shift, and what narrow clamps add."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyflow.codegen.c.dsp.requant import arithmetic


@dataclass(frozen=True)
class Saturation:
    """``code = saturate(t >> shift, bits) + base``, at most ``upper`` where that is given.

    The first saturation is SSAT or, unsigned, USAT. ``upper`` is imposed by a second SSAT to 8
    bits on the code moved up by ``127 - upper``, so it also imposes ``upper - 255`` from below.
    """

    signed: bool = True
    bits: int = 8
    base: int = 0
    upper: int | None = None

    @property
    def lowest(self) -> int:
        first = self.base - (1 << (self.bits - 1) if self.signed else 0)
        return first if self.upper is None else max(first, self.upper - 255)

    @property
    def highest(self) -> int:
        first = self.base + (1 << (self.bits - self.signed)) - 1
        return first if self.upper is None else min(first, self.upper)

    @property
    def offsets(self) -> tuple[int, int]:
        """What is added after the first saturation, and after the second."""
        if self.upper is None:
            return self.base, 0
        return self.base + 127 - self.upper, self.upper - 127

    @property
    def cycles(self) -> int:
        """Cycles, the first saturation included."""
        first, second = self.offsets
        return 1 + (first != 0) + (self.upper is not None) + (second != 0)

    def apply(self, t: np.ndarray, shift: int) -> np.ndarray:
        first, second = self.offsets
        code = arithmetic.saturate(t >> shift, self.bits, self.signed) + first
        if self.upper is None:
            return code
        return arithmetic.saturate(code, 8, True) + second


def saturations(lo: int, hi: int) -> list[Saturation]:
    """Ways to keep codes within [lo, hi], cheapest first; -128 <= lo <= hi <= 127.

    Some impose fewer bounds than asked: they serve where the codes cannot pass the others. The
    last one imposes both.
    """
    ways = [Saturation(), _complete(lo, hi)]
    bits = (hi - lo).bit_length()
    if lo < hi and hi - lo + 1 == 1 << bits:
        centred = lo == -(1 << (bits - 1))
        ways.append(Saturation(True, bits) if centred else Saturation(False, bits, lo))
    if lo > -128:
        ways.append(Saturation(False, 8, lo))
    if hi < 127:
        ways.append(Saturation(True, 8, hi - 127))
    return sorted(dict.fromkeys(ways), key=lambda way: way.cycles)


def complete_saturation(lo: int, hi: int) -> Saturation:
    """The cheapest way that imposes both bounds on any value."""
    return next(w for w in saturations(lo, hi) if (w.lowest, w.highest) == (lo, hi))


def _complete(lo: int, hi: int) -> Saturation:
    if (lo, hi) == (-128, 127):
        return Saturation()
    if lo == -128:
        return Saturation(True, 8, hi - 127, upper=127)
    return Saturation(False, 8, lo, upper=hi)
