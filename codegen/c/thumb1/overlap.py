"""How a result of four pixels at a time may overlap its operand."""

from __future__ import annotations

from dataclasses import replace

from tinyflow.codegen.c.ops.rows import find_overlap
from tinyflow.codegen.schedule import Overlap
from tinyflow.ir import Graph, Node, as_nhwc


def rows_overlap(graph: Graph, node: Node) -> Overlap | None:
    """That of the portable kernel. Falling rows are computed one by one: only where each is a
    whole number of times four pixels is nothing lost by that."""
    overlap = find_overlap(graph, node)
    if overlap is None or as_nhwc(graph.result(node).shape)[2] % 4 == 0:
        return overlap
    return replace(overlap, falling=None)
