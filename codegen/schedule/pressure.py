"""How many bytes each step needs at least: fast to know, without a plan."""

from __future__ import annotations

from collections.abc import Sequence

from tinyflow.codegen.schedule.conflicts import find_needs
from tinyflow.codegen.schedule.demand import Demands
from tinyflow.codegen.schedule.lifetimes import find_buffers
from tinyflow.ir import Graph, Node


def live_bytes(graph: Graph, order: Sequence[Node], demands: Demands) -> list[int]:
    """Bytes that each step of ``order`` needs: no plan for these demands and this order needs
    less than the largest."""
    needs = find_needs(find_buffers(graph, order, demands))
    return [needs[step].total for step in range(len(order))]
