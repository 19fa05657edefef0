"""Finds out which tensors are functions, element by element, of one other tensor."""

from __future__ import annotations

from dataclasses import dataclass

from tinyflow.ir import OPS, Graph, Node, Op
from tinyflow.passes.facts import is_float

_BINARY = {Op.ADD, Op.DIV, Op.MAXIMUM, Op.MINIMUM, Op.MUL, Op.SUB}

_NONLINEAR = {
    Op.ABS,
    Op.ERF,
    Op.EXP,
    Op.FUNCTION,
    Op.GELU,
    Op.HARD_SWISH,
    Op.LEAKY_RELU,
    Op.LOG,
    Op.MAXIMUM,
    Op.MINIMUM,
    Op.POWER,
    Op.SIGMOID,
    Op.TANH,
}


@dataclass(frozen=True)
class Link:
    """Nodes, in order, that compute tensor ``y`` from tensor ``x``; nothing else reads between.

    ``nonlinear``: not a single step that scales, offsets or clamps.
    """

    x: str
    y: str
    nodes: tuple[Node, ...]
    nonlinear: bool


Chain = tuple[Link, ...]
"""Links, each of which starts where the one before it ends."""


class Chains:
    """Knows, for every tensor, the nearest other one of which it is a function.

    That is its immediate dominator among nodes that work element by element.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._nearest: dict[str, str] = {}
        self._depth: dict[str, int] = {}
        for node in graph.nodes:
            x = self._common(_variables(graph, node))
            if x is not None:
                self._nearest[node.output] = x
                self._depth[node.output] = self._depth.get(x, 0) + 1

    def ending_in(self, y: str) -> Chain:
        """The longest chain to a tensor; empty where there is none."""
        links: list[Link] = []
        while (link := self._link(y)) is not None:
            if links and not self._only_read_by(y, links[0].nodes):
                break
            links.insert(0, link)
            y = link.x
        return tuple(links)

    def _common(self, tensors: list[str]) -> str | None:
        """The nearest tensor of which all are functions."""
        common: str | None = None
        for b in tensors:
            a = common or b
            while a != b:
                if self._depth.get(a, 0) < self._depth.get(b, 0):
                    a, b = b, a
                if a not in self._nearest:
                    return None
                a = self._nearest[a]
            common = a
        return common

    def _link(self, y: str) -> Link | None:
        x = self._nearest.get(y)
        if x is None:
            return None
        names: set[str] = set()
        pending = [y]
        while pending:
            name = pending.pop()
            node = self.graph.producer(name)
            if name == x or node is None or node.name in names:
                continue
            names.add(node.name)
            pending += node.inputs
        last = self.graph.producer(y)
        nodes = _in_order(self.graph, names) if len(names) > 1 else (last,) if last else ()
        between = [node.output for node in nodes if node.output != y]
        if not all(self._only_read_by(name, nodes) for name in between):
            return None
        return Link(x, y, nodes, len(nodes) > 1 or _is_nonlinear(self.graph, nodes[0]))

    def _only_read_by(self, tensor: str, nodes: tuple[Node, ...]) -> bool:
        names = {node.name for node in nodes}
        readers = self.graph.consumers(tensor)
        return tensor not in self.graph.outputs and all(r.name in names for r in readers)


def _in_order(graph: Graph, names: set[str]) -> tuple[Node, ...]:
    return tuple(node for node in graph.nodes if node.name in names)


def _variables(graph: Graph, node: Node) -> list[str]:
    """The operands that a node works on element by element; empty for other nodes."""
    if not (node.op in _BINARY or _is_function(node.op)) or not is_float(graph, node):
        return []
    operands, shape = graph.operands(node), graph.result(node).shape
    if any(t.elements > 1 if t.is_constant else t.shape != shape for t in operands):
        return []
    return [t.name for t in operands if not t.is_constant]


def _is_function(op: Op) -> bool:
    """Rounding to codes is where a function ends: its result has the scale of these codes."""
    return OPS[op].unary and op is not Op.FAKE_QUANT


def _is_nonlinear(graph: Graph, node: Node) -> bool:
    if node.op in _NONLINEAR:
        return True
    constant = [t.is_constant for t in graph.operands(node)]
    if node.op is Op.MUL:
        return not any(constant)
    return node.op is Op.DIV and not constant[1]
