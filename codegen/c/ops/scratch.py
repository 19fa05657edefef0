"""Working memory of portable kernels that need some, in bytes."""

from __future__ import annotations

from collections.abc import Callable

from tinyflow.codegen.c.ops import argmax, attention, detection
from tinyflow.ir import Graph, Node, Op

SCRATCH: dict[Op, Callable[[Graph, Node], int]] = {
    Op.ARGMAX: argmax.scratch_bytes,
    Op.ATTENTION: attention.scratch_bytes,
    Op.DETECTION: detection.scratch_bytes,
}
"""A binding passes it to its kernel as ``layer.scratch``."""


def scratch_bytes(graph: Graph, node: Node) -> int:
    return SCRATCH[node.op](graph, node) if node.op in SCRATCH else 0
