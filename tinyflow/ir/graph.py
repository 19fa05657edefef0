"""The one intermediate representation: an immutable graph, and an editor that makes the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from tinyflow.ir.integer import Rounding
from tinyflow.ir.node import Node
from tinyflow.ir.ops import OPS
from tinyflow.ir.tensor import Tensor


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes in execution order over named tensors.

    ``layouts`` tells, for each graph input or output whose axes stand in another order than in
    the source model, the permutation: ``stored = source.transpose(layouts[name])``.
    ``rounding`` is how integer nodes requantize; it is there once the graph is quantized.
    """

    name: str
    nodes: tuple[Node, ...]
    tensors: Mapping[str, Tensor]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    layouts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    rounding: Rounding | None = None

    @cached_property
    def _producers(self) -> dict[str, Node]:
        return {output: node for node in self.nodes for output in node.outputs}

    @cached_property
    def _consumers(self) -> dict[str, list[Node]]:
        table: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                table.setdefault(name, []).append(node)
        return table

    def producer(self, tensor: str) -> Node | None:
        """The node that computes a tensor; None for graph inputs and constants."""
        return self._producers.get(tensor)

    def consumers(self, tensor: str) -> tuple[Node, ...]:
        return tuple(self._consumers.get(tensor, ()))

    def sole_consumer(self, tensor: str) -> Node | None:
        """The one node that reads a tensor which nothing else, no graph output either, needs."""
        readers = self.consumers(tensor)
        return readers[0] if len(readers) == 1 and tensor not in self.outputs else None

    def operands(self, node: Node) -> list[Tensor]:
        return [self.tensors[name] for name in node.inputs]

    def result(self, node: Node) -> Tensor:
        return self.tensors[node.output]

    @property
    def constants(self) -> dict[str, Tensor]:
        return {name: t for name, t in self.tensors.items() if t.is_constant}

    @property
    def is_quantized(self) -> bool:
        return self.rounding is not None

    @cached_property
    def parameters(self) -> int:
        """Elements of all constants."""
        return sum(t.elements for t in self.constants.values())

    def macs(self, node: Node) -> int:
        """Multiply-accumulates of one node at batch 1."""
        shapes = [t.shape for t in self.operands(node)]
        return int(OPS[node.op].macs(node.attrs, shapes, self.result(node).shape))

    def __str__(self) -> str:
        from tinyflow.ir.printer import print_graph

        return print_graph(self)


class GraphEditor:
    """A mutable copy of a graph. `build` sorts the nodes and drops tensors that nobody uses."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes: list[Node] = list(graph.nodes)
        self.tensors: dict[str, Tensor] = dict(graph.tensors)
        self.inputs: list[str] = list(graph.inputs)
        self.outputs: list[str] = list(graph.outputs)
        self.layouts: dict[str, tuple[int, ...]] = dict(graph.layouts)
        self._node_names = {node.name for node in self.nodes}

    def unique_tensor(self, stem: str) -> str:
        return _unique(stem, self.tensors)

    def unique_node(self, stem: str) -> str:
        return _unique(stem, self._node_names)

    def claim_node(self, stem: str) -> str:
        """A free name for a node that `replace_node` puts in later."""
        name = self.unique_node(stem)
        self._node_names.add(name)
        return name

    def add_tensor(self, tensor: Tensor) -> str:
        """Adds a tensor, under a name derived from its own where that is taken."""
        name = self.unique_tensor(tensor.name)
        self.tensors[name] = replace(tensor, name=name)
        return name

    def add_constant(self, stem: str, data: np.ndarray) -> str:
        return self.add_tensor(Tensor.constant(stem, data))

    def add_node(self, node: Node) -> Node:
        node = replace(node, name=self.unique_node(node.name))
        self._node_names.add(node.name)
        self.nodes.append(node)
        return node

    def replace_node(self, old: Node, *new: Node) -> None:
        """Puts ``new`` where ``old`` stood; names are kept as given."""
        index = next(i for i, node in enumerate(self.nodes) if node.name == old.name)
        self.nodes[index : index + 1] = new
        self._node_names.discard(old.name)
        self._node_names.update(node.name for node in new)

    def remove_node(self, node: Node) -> None:
        self.replace_node(node)

    def redirect(self, old: str, new: str) -> None:
        """Lets every reader of tensor ``old``, graph outputs included, read ``new``."""
        self.nodes = [
            replace(n, inputs=tuple(new if i == old else i for i in n.inputs))
            if old in n.inputs
            else n
            for n in self.nodes
        ]
        self.outputs = [new if name == old else name for name in self.outputs]

    def rename_output(self, old: str, new: str) -> None:
        """Gives tensor ``old`` the name ``new``, which must be free once its producer is gone."""
        self.tensors[new] = replace(self.tensors.pop(old), name=new)
        self.nodes = [
            replace(
                n,
                inputs=tuple(new if i == old else i for i in n.inputs),
                outputs=tuple(new if o == old else o for o in n.outputs),
            )
            for n in self.nodes
        ]
        self.outputs = [new if name == old else name for name in self.outputs]

    def build(self) -> Graph:
        nodes = topological(self.nodes, [*self.inputs, *self._constant_names()])
        used = {name for node in nodes for name in (*node.inputs, *node.outputs)}
        used.update(self.inputs, self.outputs)
        tensors = {name: t for name, t in self.tensors.items() if name in used}
        ends = {*self.inputs, *self.outputs}
        layouts = {name: perm for name, perm in self.layouts.items() if name in ends}
        return replace(
            self.graph,
            nodes=tuple(nodes),
            tensors=tensors,
            inputs=tuple(self.inputs),
            outputs=tuple(self.outputs),
            layouts=layouts,
        )

    def _constant_names(self) -> Iterable[str]:
        return (name for name, t in self.tensors.items() if t.is_constant)


def _unique(stem: str, taken: Iterable[str]) -> str:
    if stem not in taken:
        return stem
    number = 1
    while f"{stem}_{number}" in taken:
        number += 1
    return f"{stem}_{number}"


def topological(nodes: Iterable[Node], available: Iterable[str]) -> list[Node]:
    """The nodes in an order in which each reads only what is there, as near to theirs as can be."""
    ready = set(available)
    waiting = list(nodes)
    ordered: list[Node] = []
    while waiting:
        later = []
        for node in waiting:
            if all(name in ready for name in node.inputs):
                ordered.append(node)
                ready.update(node.outputs)
            else:
                later.append(node)
        if len(later) == len(waiting):
            raise ValueError(f"no order for the nodes {[n.name for n in later]}")
        waiting = later
    return ordered
