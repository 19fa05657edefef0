"""What a block of products computes, and how far its loops are unrolled."""

from __future__ import annotations

from dataclasses import dataclass

GROUP = 4
"""Output channels that are summed together: two pairs."""

LARGEST_UNROLL = 8
"""Steps of an inner loop: with the requantization it fits an instruction cache of 1 KiB."""

LARGEST_STRAIGHT = 14
"""Steps of a run that need no loop."""

LARGEST_FLAT = 16
"""Steps of all runs together that need no loop."""


@dataclass(frozen=True)
class Unrolling:
    """``rest`` steps, then ``loops`` times ``body`` steps."""

    rest: int
    body: int
    loops: int


@dataclass(frozen=True)
class ProductShape:
    """Sums of ``runs`` runs of ``2 * steps`` products each, for ``out_c`` channels.

    A run lies without gaps in the widened activations; the next pixel's begins ``pixel_step``
    activations further. ``pixel_step`` counts 16-bit values.
    """

    runs: int
    steps: int
    pixel_step: int
    out_c: int

    @property
    def groups(self) -> int:
        return -(-self.out_c // GROUP)

    @property
    def tail(self) -> int:
        """Channels of the last group that are written, 0 where that is all of them."""
        return self.out_c % GROUP

    @property
    def is_flat(self) -> bool:
        """Neither runs nor steps are looped over."""
        most = LARGEST_STRAIGHT if self.runs == 1 else LARGEST_FLAT
        return self.runs * self.steps <= most

    @property
    def unrolling(self) -> Unrolling:
        """Of the steps of one run: few loops first, then little code."""
        if self.steps <= LARGEST_STRAIGHT:
            return Unrolling(self.steps, 0, 0)
        bodies = range(LARGEST_UNROLL // 2, LARGEST_UNROLL + 1)
        body = min(bodies, key=lambda b: (self.steps // b, b + self.steps % b))
        return Unrolling(self.steps % body, body, self.steps // body)

    @property
    def pair_cycles(self) -> int:
        """About what two pixels take for all channels, without the requantization."""
        unaligned = self.steps if self.pixel_step % 2 else 0
        run = 15 * self.steps + unaligned
        if self.is_flat:
            return self.groups * self.runs * (run + 3)
        around = 8 if self.runs > 1 else 0
        loops = self.unrolling.loops
        return self.groups * self.runs * (run + around + 7 * loops + 3 * (loops > 0))

    @property
    def stem(self) -> str:
        """How the names of the shape's blocks end."""
        runs = f"{self.runs}x" if self.runs > 1 else ""
        return f"{runs}{2 * self.steps}_to_{self.out_c}"
