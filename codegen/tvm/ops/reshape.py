"""RESHAPE, where the result does not simply lie in the place of its operand."""

from __future__ import annotations

from tinyflow.codegen.tvm.builder import Builder
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.ir import Graph, Node


def lower(graph: Graph, node: Node) -> Kernel:
    count = graph.result(node).elements
    build = Builder(graph, node, overwrites=True)
    with build:
        x, out = build.operand(0, (count,)), build.result((count,))
        with build.loop("i", count) as i:
            build.store(out, x[i], i)
    return build.kernel()
