"""What keeps buffers apart: how far, and how much a step needs for all of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from tinyflow.codegen.schedule.alignment import align
from tinyflow.codegen.schedule.lifetimes import Buffer, Lifetime, Meeting

Gaps = list[dict[int, int]]
"""``gaps[i][j]``, for buffers that are needed in the same step: buffer j starts at least so many
bytes after buffer i, or else i at least ``gaps[j][i]`` after j."""


@dataclass(frozen=True)
class StepNeed:
    """The bytes that each buffer, by its index, needs in a step. ``saved`` are those that the
    two buffers of ``pair`` can at most share."""

    nbytes: dict[int, int]
    pair: tuple[int, int] | None = None
    saved: int = 0

    @property
    def total(self) -> int:
        return sum(self.nbytes.values()) - self.saved


def find_gaps(buffers: Sequence[Buffer], falling: bool = True) -> Gaps:
    """Without ``falling``, for steps that compute their rows in rising order alone."""
    gaps: Gaps = [{} for _ in buffers]
    for (i, a), (j, b) in combinations(enumerate(buffers), 2):
        if a.first > b.last or b.first > a.last:
            continue
        above, below = a.gap_to(b), b.gap_to(a)
        if above is not None and below is not None:
            gaps[i][j] = above
            gaps[j][i] = below
    for i, buffer in enumerate(buffers):
        if (meeting := buffer.meets) is not None:
            overlap = meeting.overlap if falling else replace(meeting.overlap, falling=None)
            # They meet in the one step that begins the one and ends the other.
            life, result = _operand(buffers, meeting), buffer.bytes_at(buffer.first)
            above, below = overlap.gaps(align(life.nbytes), result, life.shift)
            gaps[i][meeting.buffer] = above
            gaps[meeting.buffer][i] = below
    return gaps


def find_needs(buffers: Sequence[Buffer]) -> dict[int, StepNeed]:
    """What is needed in each step in which anything is."""
    nbytes: dict[int, dict[int, int]] = defaultdict(dict)
    for i, buffer in enumerate(buffers):
        for step, needed in buffer.bytes_by_step().items():
            nbytes[step][i] = needed
    needs = {step: StepNeed(sizes) for step, sizes in sorted(nbytes.items())}
    for i, buffer in enumerate(buffers):
        if (meeting := buffer.meets) is not None:
            sizes = nbytes[buffer.first]
            operand, result = sizes[meeting.buffer], sizes[i]
            life = _operand(buffers, meeting)
            extent = meeting.overlap.extent(align(life.nbytes), result, life.shift)
            saved = max(operand + result - extent, 0)
            needs[buffer.first] = StepNeed(sizes, (meeting.buffer, i), saved)
    return needs


def _operand(buffers: Sequence[Buffer], meeting: Meeting) -> Lifetime:
    return buffers[meeting.buffer].life_of(meeting.operand)


def lower_bound(buffers: Sequence[Buffer]) -> int:
    """The most bytes that are needed in any one step."""
    return max((need.total for need in find_needs(buffers).values()), default=0)
