"""What the integer form and the integer arithmetic of a node are made from."""

from __future__ import annotations

from dataclasses import dataclass

from tinyflow.ir import Graph, Node, Rounding, Tensor


class NoIntegerFormError(ValueError):
    """A node cannot be computed in integers; the text says why, without the node's name."""


@dataclass(frozen=True, eq=False)
class Site:
    """A node with the tensors that it reads and writes, and the graph's rounding."""

    node: Node
    operands: tuple[Tensor, ...]
    result: Tensor
    rounding: Rounding

    @classmethod
    def of(cls, graph: Graph, node: Node, rounding: Rounding) -> Site:
        return cls(node, tuple(graph.operands(node)), graph.result(node), rounding)

    @property
    def input(self) -> Tensor:
        """The first operand."""
        return self.operands[0]
