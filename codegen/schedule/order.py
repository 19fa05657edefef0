"""An order of execution that keeps less memory alive.

A beam search over the orders that the graph allows. It counts memory as the planner will: a
view shares its operand's, an operation in place takes over an operand that dies, and a kernel
whose result may overlap such an operand needs the bytes that hold both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tinyflow.codegen.schedule.alignment import align
from tinyflow.codegen.schedule.demand import Demand, Demands
from tinyflow.codegen.schedule.lifetimes import find_place
from tinyflow.ir import OPS, Graph, Node

BEAM = 16
"""Partial orders that are kept after each step."""


@dataclass(frozen=True)
class _State:
    """Nodes that ran, in order; ``done`` has their bits. Bytes: the peak, and what lives now."""

    peak: int
    live: int
    order: tuple[int, ...]
    done: int


def find_order(graph: Graph, demands: Demands) -> tuple[Node, ...]:
    """The nodes in the best order found; the graph's own where none is better by this count."""
    nodes = graph.nodes
    facts = _Facts(graph, demands)
    inputs = sum(facts.nbytes[name] for name in dict.fromkeys(graph.inputs))
    start = own = _State(inputs, inputs, (), 0)
    for index in range(len(nodes)):
        own = facts.extend(own, index)
    if own.peak <= max((facts.least(i) for i in range(len(nodes))), default=own.peak):
        return nodes
    beam = [start]
    for _ in nodes:
        reached: dict[int, _State] = {}
        for state in beam:
            for i in facts.ready(state.done):
                following = facts.extend(state, i)
                known = reached.get(following.done)
                if known is None or _rank(following) < _rank(known):
                    reached[following.done] = following
        beam = sorted(reached.values(), key=_rank)[:BEAM]
    best = beam[0]
    return tuple(nodes[i] for i in best.order) if best.peak < own.peak else nodes


def _rank(state: _State) -> tuple[int, int, tuple[int, ...]]:
    return state.peak, state.live, state.order


_NO_DEMAND = Demand()


class _Facts:
    """What the search asks of the graph. A root is the first tensor of a chain of views:
    memory belongs to roots."""

    def __init__(self, graph: Graph, demands: Demands) -> None:
        self.graph = graph
        self.demands = [demands.get(node.name, _NO_DEMAND) for node in graph.nodes]
        self.root: dict[str, str] = {
            name: name for name, t in graph.tensors.items() if not t.is_constant
        }
        self.views = {
            i
            for i, node in enumerate(graph.nodes)
            if find_place(graph, node, self.demands[i]) is not None and node.inputs[0] in self.root
        }
        for i in sorted(self.views):
            node = graph.nodes[i]
            self.root[node.output] = self.root[node.inputs[0]]
        self.nbytes = {name: align(graph.tensors[name].nbytes) for name in self.root.values()}
        self.kept = {self.root[name] for name in graph.outputs if name in self.root}
        self.readers: dict[str, int] = Counter()
        """By root, the bits of the nodes that read it or a view of it."""
        self.reads: list[tuple[str, ...]] = []
        for i, node in enumerate(graph.nodes):
            roots = tuple(dict.fromkeys(self.root[n] for n in node.inputs if n in self.root))
            self.reads.append(roots)
            for root in roots:
                self.readers[root] |= 1 << i
        producer = {name: i for i, node in enumerate(graph.nodes) for name in node.outputs}
        self.needs = [
            sum({1 << producer[name] for name in node.inputs if name in producer})
            for node in graph.nodes
        ]

    def ready(self, done: int) -> Sequence[int]:
        """Nodes that can run next."""
        return [
            i for i, needs in enumerate(self.needs) if not done & (1 << i) and needs & done == needs
        ]

    def least(self, i: int) -> int:
        """Bytes that a node needs in any order: its operands, and what of its result cannot take
        the place of one."""
        operands = sum(self.nbytes[root] for root in self.reads[i])
        return operands + self._more(i, self.reads[i])

    def _more(self, i: int, dying: Sequence[str]) -> int:
        """Bytes that a node adds while it runs and its operands are there."""
        node, demand = self.graph.nodes[i], self.demands[i]
        first, own = self.root.get(node.inputs[0], ""), self.nbytes[self.root[node.output]]
        if i in self.views:
            return 0
        if self._replaces(i, dying):
            own = 0
        if first in dying and own:
            return demand.room(self.nbytes[first], own) - self.nbytes[first]
        return own + align(demand.scratch_bytes)

    def _replaces(self, i: int, dying: Sequence[str]) -> bool:
        """Whether the result can lie in the very place of an operand."""
        node, demand = self.graph.nodes[i], self.demands[i]
        own = self.nbytes[self.root[node.output]]
        if demand.replaces is not None:
            roots = {self.root[name] for name in demand.replaces}
            return any(self.nbytes[r] >= own for r in dying if r in roots)
        return OPS[node.op].in_place and any(self.nbytes[r] == own for r in dying)

    def extend(self, state: _State, i: int) -> _State:
        done = state.done | 1 << i
        node = self.graph.nodes[i]
        result = self.root[node.output]
        dying = [r for r in self.reads[i] if r not in self.kept and not self.readers[r] & ~done]
        freed = sum(self.nbytes[r] for r in dying if r != result)
        added = 0 if i in self.views else self.nbytes[result]
        peak = max(state.peak, state.live + self._more(i, dying))
        live = state.live + added - freed
        if not self.readers[result] & ~done and result not in self.kept:
            live -= self.nbytes[result]
        return _State(peak, live, (*state.order, i), done)
