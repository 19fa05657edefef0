"""What stands between a graph and a backend: the steps, and where each tensor lies in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from tinyflow.codegen.schedule.alignment import align
from tinyflow.codegen.schedule.overlap import Overlap
from tinyflow.ir import Graph, Node, Shape


class Axis(Enum):
    """What a step advances along."""

    ROWS = "rows"
    TOKENS = "tokens"
    QUERIES = "queries"
    WHOLE = "whole"


@dataclass(frozen=True)
class Step:
    """Nodes that run together, ``tile`` units of ``axis`` at a time.

    A ``falling`` step computes its rows one by one from the last to the first.
    """

    index: int
    nodes: tuple[Node, ...]
    axis: Axis
    tile: int
    falling: bool = False

    def __post_init__(self) -> None:
        if not self.nodes:
            raise ValueError(f"step {self.index} has no nodes")
        if self.tile < 1:
            raise ValueError(f"step {self.index} has a tile of {self.tile}")
        if self.falling and self.tile != 1:
            raise ValueError(f"step {self.index} falls in tiles of {self.tile}")

    @property
    def output(self) -> str:
        """The tensor that the step leaves in the arena."""
        return self.nodes[-1].output


@dataclass(frozen=True)
class Demand:
    """What the kernel of a node asks of the memory plan.

    ``scratch_bytes`` are needed while the node runs. A kernel that ``overwrites`` may have its
    result in the very place of its first operand, if it is no larger. ``overlap`` says which
    other places may share bytes with that operand; where it is given, it also decides whether the
    same place is one of them, and ``overwrites`` is not looked at.

    Both hold for a kernel that is called once for all rows. The portable kernels keep to their
    overlap in bands of any height, too.
    """

    scratch_bytes: int = 0
    overwrites: bool = False
    overlap: Overlap | None = None

    def __post_init__(self) -> None:
        if self.scratch_bytes < 0:
            raise ValueError(f"a demand of {self.scratch_bytes} bytes")

    def room(self, operand: int, result: int) -> int:
        """The fewest bytes that hold the first operand, if it dies there, the result, and the
        working memory."""
        both = align(operand) + align(result)
        if self.overlap is not None:
            both = self.overlap.extent(operand, result)
        elif self.overwrites and result <= operand:
            both = align(operand)
        return both + align(self.scratch_bytes)


Demands = Mapping[str, Demand]
"""By node name; a node without an entry needs nothing but its tensors."""


@dataclass(frozen=True)
class Placement:
    """Where a tensor lies in the arena, and for how long.

    ``offset`` and ``nbytes`` are in bytes, ``ring`` is the number of rows held. The tensor is
    live in the steps ``first_step`` to ``last_step``, both included: a graph input from step 0,
    a graph output to the last step. ``alias_of`` names the tensor whose memory this one takes
    over (the operand of a reshape, or of a kernel that works in place): the offset is the same.
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


@dataclass(frozen=True, eq=False)
class Schedule:
    """The steps in execution order, and a placement for every tensor that is not a constant.

    ``arena_bytes`` is a multiple of `ALIGNMENT`. ``lower_bound_bytes`` is the most that one step
    needs, where tensors that may overlap do so as far as they can: no plan for this order and
    these aliases needs less.
    ``scratch`` holds, by node name, the working memory of kernels that asked for some.
    """

    graph: Graph
    steps: tuple[Step, ...]
    placements: Mapping[str, Placement]
    arena_bytes: int
    lower_bound_bytes: int
    scratch: Mapping[str, Placement] = field(default_factory=dict)

    def live_bytes(self, step: int) -> int:
        """Bytes in use during a step, memory that two tensors share counted once."""
        places = (*self.placements.values(), *self.scratch.values())
        spans = sorted((p.offset, p.offset + align(p.nbytes)) for p in places if p.is_live(step))
        total = reached = 0
        for begin, end in spans:
            total += max(end - max(begin, reached), 0)
            reached = max(reached, end)
        return total


def rows_of(shape: Shape) -> int:
    """Rows that a kernel sees in a tensor: the second axis, where there is one between batch
    and channels."""
    return shape[1] if len(shape) > 2 else 1
