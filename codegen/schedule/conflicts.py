"""What keeps buffers apart: how far, and how much a step needs for all of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from tinyflow.codegen.schedule.alignment import align
from tinyflow.codegen.schedule.lifetimes import Buffer

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
        if a.first <= b.last and b.first <= a.last and (size := a.bytes_beside(b)):
            gaps[i][j] = size
            gaps[j][i] = b.bytes_beside(a)
    for i, buffer in enumerate(buffers):
        if (meeting := buffer.meets) is not None:
            overlap = meeting.overlap if falling else replace(meeting.overlap, falling=None)
            # They meet in the one step that begins the one and ends the other.
            operand = buffers[meeting.buffer].bytes_at(buffer.first)
            above, below = overlap.gaps(operand, buffer.bytes_at(buffer.first))
            gaps[i][meeting.buffer] = above
            gaps[meeting.buffer][i] = below
    return gaps


def find_needs(buffers: Sequence[Buffer]) -> dict[int, StepNeed]:
    """What is needed in each step in which anything is."""
    nbytes: dict[int, dict[int, int]] = defaultdict(dict)
    for i, buffer in enumerate(buffers):
        for tensor in buffer.tensors:
            for step in range(tensor.first, tensor.last + 1):
                nbytes[step][i] = max(nbytes[step].get(i, 0), align(tensor.nbytes))
    needs = {step: StepNeed(sizes) for step, sizes in sorted(nbytes.items())}
    for i, buffer in enumerate(buffers):
        if (meeting := buffer.meets) is not None:
            sizes = nbytes[buffer.first]
            operand, result = sizes[meeting.buffer], sizes[i]
            saved = operand + result - meeting.overlap.extent(operand, result)
            needs[buffer.first] = StepNeed(sizes, (meeting.buffer, i), saved)
    return needs


def lower_bound(buffers: Sequence[Buffer]) -> int:
    """The most bytes that are needed in any one step."""
    return max((need.total for need in find_needs(buffers).values()), default=0)
