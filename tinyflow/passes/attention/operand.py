"""What the operands of attention are, above moves and constant factors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinyflow.ir import Graph, Node, Op
from tinyflow.passes.facts import clamp_of, is_float
from tinyflow.passes.views import View
from tinyflow.passes.views.source import Source, source_of


@dataclass(frozen=True, eq=False)
class Operand:
    """A view of a tensor, times ``factor``; ``nodes`` are those that multiply."""

    source: Source
    factor: float = 1.0
    nodes: tuple[Node, ...] = ()

    @property
    def view(self) -> View:
        return self.source.view

    def transpose(self, perm: tuple[int, ...]) -> Operand:
        return replace(self, source=replace(self.source, view=self.view.transpose(perm)))

    def swapped(self) -> Operand:
        """With its last two axes exchanged."""
        rank = len(self.view.shape)
        return self.transpose((*range(rank - 2), rank - 1, rank - 2))


@dataclass(frozen=True, eq=False)
class Factor:
    """``x`` times the constant ``value``, float64 in any shape that broadcasts."""

    x: str
    value: np.ndarray


def operand_of(graph: Graph, tensor: str) -> Operand:
    """Climbs through TRANSPOSE, RESHAPE and factors that are one number."""
    operand = Operand(source_of(graph, tensor))
    while True:
        node = graph.producer(operand.source.name)
        factor = factor_of(graph, node) if node is not None else None
        if node is None or factor is None or factor.value.size != 1:
            return operand
        above = source_of(graph, factor.x)
        view = above.view.then(operand.view)
        if view is None:
            return operand
        operand = Operand(
            replace(above, view=view),
            operand.factor * float(factor.value.ravel()[0]),
            (*operand.nodes, node),
        )


def factor_of(graph: Graph, node: Node) -> Factor | None:
    """A MUL or DIV by a constant that clamps nothing."""
    if node.op not in (Op.MUL, Op.DIV) or not is_float(graph, node):
        return None
    left, right = graph.operands(node)
    clamp = clamp_of(node)
    if left.is_constant == right.is_constant or (clamp is not None and not clamp.is_identity):
        return None
    x, constant = (right, left) if left.is_constant else (left, right)
    if x.shape != graph.result(node).shape or (node.op is Op.DIV and left.is_constant):
        return None
    value = constant.value.astype(np.float64)
    if node.op is Op.DIV:
        if not value.all():
            return None
        value = 1.0 / value
    return Factor(x.name, value)


def matrices(graph: Graph, node: Node) -> tuple[Operand, Operand]:
    """The operands of a MATMUL as the product takes them."""
    attrs: Any = node.attrs
    a, b = (operand_of(graph, name) for name in node.inputs)
    return (a.swapped() if attrs.transpose_a else a, b.swapped() if attrs.transpose_b else b)
