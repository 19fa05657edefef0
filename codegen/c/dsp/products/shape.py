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


LARGEST_CARRIED = 512
"""Values of a run whose sums fit 24 bits, whatever they and the weights are: 128 * 127 each."""


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
    activations further. ``pixel_step`` counts 16-bit values. Between the codes of two pixels,
    ``skipped`` others are left to somebody else.

    A row of a window is ``parts`` runs. With ``carries`` the odd channels' sums are taken out of
    the pairs after each run, so that they may need more than the 24 bits that a pair leaves them.
    """

    runs: int
    steps: int
    pixel_step: int
    out_c: int
    parts: int = 1
    carries: bool = False
    skipped: int = 0

    @classmethod
    def of(
        cls,
        rows: int,
        values: int,
        pixel_step: int,
        out_c: int,
        carries: bool = False,
        skipped: int = 0,
    ) -> ProductShape:
        """For windows of ``rows`` rows of ``values`` activations."""
        if not carries:
            return cls(rows, -(-values // 2), pixel_step, out_c, skipped=skipped)
        parts = -(-values // LARGEST_CARRIED)
        steps = -(-values // parts // 4) * 2
        return cls(rows * parts, steps, pixel_step, out_c, parts, carries, skipped)

    @property
    def row(self) -> int:
        """Activations that are read for a row of a window: those after its end get weights 0."""
        return self.parts * 2 * self.steps

    @property
    def out_step(self) -> int:
        """Codes from pixel to pixel."""
        return self.out_c + self.skipped

    @property
    def has_run_loop(self) -> bool:
        return self.carries or (self.runs > 1 and not self.is_flat)

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
        if self.carries:
            return False
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
        among = f"_of_{self.out_step}" if self.skipped else ""
        return f"{runs}{2 * self.steps}_to_{self.out_c}{among}{'_carried' * self.carries}"
