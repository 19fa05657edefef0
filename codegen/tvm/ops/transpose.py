"""TRANSPOSE."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.codegen.tvm.moves import Indices, gather
from tinyflow.ir import Graph, Node


def lower(graph: Graph, node: Node) -> Kernel:
    attrs: Any = node.attrs

    def source(indices: Indices) -> Indices:
        return [indices[attrs.perm.index(axis)] for axis in range(len(attrs.perm))]

    return gather(graph, node, source)
