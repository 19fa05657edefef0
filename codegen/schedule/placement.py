"""A place in the arena."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Placement:
    """Where a tensor lies in the arena, and for how long.

    ``offset`` and ``nbytes`` are in bytes, ``ring`` is the number of rows held. The tensor is
    live in the steps ``first_step`` to ``last_step``, both included: a graph input from step 0,
    a graph output to the last step. ``alias_of`` names the tensor whose memory this one takes
    over (the operand of a kernel that works in place: the offset is the same), or of whose memory
    it is a piece (the operand of a view, or a result that is joined of what is computed in its
    memory: it lies at an offset within).
    ``overlaps`` names the operand with which this result shares some bytes, at another distance:
    they are written as the operand is consumed, in the step ``first_step``.
    """

    tensor: str
    offset: int
    nbytes: int
    ring: int
    first_step: int
    last_step: int
    alias_of: str | None = None
    overlaps: str | None = None

    @property
    def end(self) -> int:
        """The first byte after the tensor."""
        return self.offset + self.nbytes

    def is_live(self, step: int) -> bool:
        return self.first_step <= step <= self.last_step
