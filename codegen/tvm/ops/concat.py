"""CONCAT."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.tvm.builder import Builder
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.codegen.tvm.moves import nest
from tinyflow.ir import Graph, Node


def lower(graph: Graph, node: Node) -> Kernel:
    attrs: Any = node.attrs
    operands = graph.operands(node)
    build = Builder(graph, node)
    with build:
        pieces = [build.operand(i) for i in range(len(operands))]
        out = build.result()
        begin = 0
        for piece, operand in zip(pieces, operands, strict=True):
            with nest(build, operand.shape) as indices:
                place = list(indices)
                place[attrs.axis] = begin + indices[attrs.axis]
                build.store(out, piece[tuple(indices)], *place)
            begin += operand.shape[attrs.axis]
    return build.kernel()
