"""How many bytes each step needs at least: fast to know, without a plan."""

from __future__ import annotations

from collections.abc import Sequence

from tinyflow.codegen.schedule.lifetimes import find_buffers
from tinyflow.codegen.schedule.schedule import Demands
from tinyflow.ir import Graph, Node


def live_bytes(graph: Graph, order: Sequence[Node], demands: Demands) -> list[int]:
    """Bytes that are live in each step of ``order``: no plan for these demands and this order
    needs less than the largest."""
    change = [0] * (len(order) + 1)
    for buffer in find_buffers(graph, order, demands):
        change[buffer.first] += buffer.nbytes
        change[buffer.last + 1] -= buffer.nbytes
    sums, total = [], 0
    for bytes_more in change[:-1]:
        total += bytes_more
        sums.append(total)
    return sums
