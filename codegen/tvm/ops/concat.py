"""CONCAT, operand by operand: one that was computed in its place of the result needs no code."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.tvm.builder import Builder
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.codegen.tvm.moves import nest
from tinyflow.ir import Graph, Node


def lower(graph: Graph, node: Node, index: int) -> Kernel:
    """Puts one operand in its place."""
    attrs: Any = node.attrs
    operands = graph.operands(node)
    begin = sum(operand.shape[attrs.axis] for operand in operands[:index])
    build = Builder(graph, node)
    with build:
        piece, out = build.operand(index), build.result()
        with nest(build, operands[index].shape) as indices:
            place = list(indices)
            place[attrs.axis] = begin + indices[attrs.axis]
            build.store(out, piece[tuple(indices)], *place)
    return build.kernel()
