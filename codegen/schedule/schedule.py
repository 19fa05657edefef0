"""What stands between a graph and a backend: the steps, and where each tensor lies in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from tinyflow.codegen.schedule.alignment import align, align_down
from tinyflow.codegen.schedule.demand import Demand, Demands
from tinyflow.codegen.schedule.fused import Fused
from tinyflow.codegen.schedule.placement import Placement
from tinyflow.ir import Graph, Node, Shape

__all__ = ["Axis", "Demand", "Demands", "Placement", "Schedule", "Step", "rows_of"]


class Axis(Enum):
    """What a step advances along."""

    ROWS = "rows"
    TOKENS = "tokens"
    QUERIES = "queries"
    WHOLE = "whole"


@dataclass(frozen=True)
class Step:
    """Nodes that run together, ``tile`` units of ``axis`` at a time.

    A ``falling`` step computes its rows one by one from the last to the first. ``fused`` says how
    several nodes share the tiles.
    """

    index: int
    nodes: tuple[Node, ...]
    axis: Axis
    tile: int
    falling: bool = False
    fused: Fused | None = None

    def __post_init__(self) -> None:
        if not self.nodes:
            raise ValueError(f"step {self.index} has no nodes")
        if self.tile < 1:
            raise ValueError(f"step {self.index} has a tile of {self.tile}")
        if self.falling and self.tile != 1:
            raise ValueError(f"step {self.index} falls in tiles of {self.tile}")
        if (len(self.nodes) > 1) != (self.fused is not None):
            raise ValueError(f"step {self.index} does not say how its nodes share their tiles")

    @property
    def output(self) -> str:
        """The tensor that the step leaves in the arena."""
        return self.nodes[-1].output


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
        spans = sorted((align_down(p.offset), align(p.end)) for p in places if p.is_live(step))
        total = reached = 0
        for begin, end in spans:
            total += max(end - max(begin, reached), 0)
            reached = max(reached, end)
        return total


def rows_of(shape: Shape) -> int:
    """Rows that a kernel sees in a tensor: the second axis, where there is one between batch
    and channels."""
    return shape[1] if len(shape) > 2 else 1
