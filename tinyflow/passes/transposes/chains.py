"""Merges TRANSPOSE and RESHAPE nodes that follow one another, and drops those that do nothing."""

from __future__ import annotations

from tinyflow.ir import Graph, Node
from tinyflow.ir.ops.transpose import TransposeAttrs
from tinyflow.passes.transposes.axes import Perm
from tinyflow.passes.transposes.sweep import Sweep
from tinyflow.passes.views.source import MOVES

__all__ = ["MOVES", "merge_chains", "perm_of"]


def perm_of(node: Node) -> Perm:
    """The permutation of a TRANSPOSE."""
    assert isinstance(node.attrs, TransposeAttrs)
    return node.attrs.perm


def merge_chains(graph: Graph) -> tuple[Graph, bool]:
    """Afterwards every chain of TRANSPOSE and RESHAPE nodes is the shortest that does the same,
    one TRANSPOSE at most wherever the shapes have common factors; equal ones are one node."""
    return Sweep(graph, {}).run()
