"""Gives the graph of a converted model the names that a Keras user knows.

The converter names a tensor after all operations that it merged into it, joined by semicolons; the
first made the tensor. Each operation bears the path of its Keras layer and a name of its own. The
rest of the list also holds layers that only share a constant with this one, so that what was
merged is found by walking from layer to layer.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from tinyflow.importers.keras.description import Description
from tinyflow.ir import OPS, Graph, Node

_CALL = re.compile(r"^(Stateful)?PartitionedCall(_\d+)?/")


class Naming:
    """The layers of one model."""

    def __init__(self, description: Description) -> None:
        self.description = description
        self.layers = {layer.path: layer for layer in description.layers}

    def layer(self, operation: str) -> str:
        """The path of the layer that an operation belongs to; '' where there is none."""
        scope = _CALL.sub("", operation).rpartition("/")[0]
        if not self.layers:
            return scope
        while scope and scope not in self.layers:
            scope = scope.rpartition("/")[0]
        return scope

    def apply(self, graph: Graph) -> Graph:
        """``graph`` with inputs, outputs, layers and tensors renamed; a node's sources are the
        layers that it computes, in their order."""
        merged = {node.name: self._merged(node, graph) for node in graph.nodes}
        names = self._node_names(graph, merged)
        tensors = self._tensor_names(graph, merged, names)
        nodes = tuple(
            replace(
                node,
                name=names[node.name],
                inputs=tuple(tensors[i] for i in node.inputs),
                outputs=tuple(tensors[o] for o in node.outputs),
                sources=tuple(merged[node.name]),
            )
            for node in graph.nodes
        )
        return replace(
            graph,
            nodes=nodes,
            tensors={tensors[n]: replace(t, name=tensors[n]) for n, t in graph.tensors.items()},
            inputs=tuple(tensors[n] for n in graph.inputs),
            outputs=tuple(tensors[n] for n in graph.outputs),
        )

    def _merged(self, node: Node, graph: Graph) -> list[str]:
        """The layers that a node computes, in their order; the last one gives its output."""
        operations = [part for source in node.sources for part in source.split(";")]
        last = self.layer(operations[0]) or self._output_layer(node, graph)
        if not self.layers or not last:
            return [last or operations[0]]
        listed = {self.layer(operation) for operation in operations}
        found = [last]
        for path in found:
            if not self.layers[path].has_kernel:
                inbound = self.layers[path].inbound
                found.extend(p for p in inbound if p in listed and p not in found)
        return found[::-1]

    def _output_layer(self, node: Node, graph: Graph) -> str:
        """The layer of a node whose operation the converter named after the model's output."""
        if node.output not in graph.outputs:
            return ""
        name = self.description.outputs[graph.outputs.index(node.output)]
        return name if name in self.layers or not self.layers else ""

    def _node_names(self, graph: Graph, merged: dict[str, list[str]]) -> dict[str, str]:
        """After the layer that multiplies by weights, else the first of those that are merged;
        with the operation where that layer becomes several nodes."""
        paths = {name: self._main(layers) for name, layers in merged.items()}
        count = Counter(paths.values())
        taken: set[str] = set()
        return {
            node.name: _free(_title(paths[node.name], node, count), taken) for node in graph.nodes
        }

    def _main(self, paths: Iterable[str]) -> str:
        found = list(paths)
        kernels = [p for p in found if p in self.layers and self.layers[p].has_kernel]
        return (kernels or found)[0]

    def _tensor_names(
        self, graph: Graph, merged: dict[str, list[str]], names: dict[str, str]
    ) -> dict[str, str]:
        """Inputs and outputs as in Keras, the last tensor of a layer like the layer, others like
        their node; constants as what they are to it."""
        taken: set[str] = set()
        given = dict(zip(graph.inputs, self.description.inputs, strict=True))
        given.update(zip(graph.outputs, self.description.outputs, strict=True))
        tensors = {old: _free(name, taken) for old, name in given.items()}
        last = {merged[node.name][-1]: node for node in graph.nodes}
        for node in graph.nodes:
            layer = merged[node.name][-1]
            if node.output not in tensors:
                stem = layer if last[layer] is node else names[node.name]
                tensors[node.output] = _free(stem, taken)
        for node in graph.nodes:
            for index, name in enumerate(node.inputs):
                if name not in tensors:
                    stem = f"{names[node.name]}/{_role(node, index)}"
                    tensors[name] = _free(stem, taken)
        return tensors


def _title(path: str, node: Node, count: Counter[str]) -> str:
    return path if count[path] == 1 else f"{path}/{node.op.value.lower()}"


def _role(node: Node, index: int) -> str:
    """What an operand is to its node."""
    roles = OPS[node.op].inputs
    return roles[min(index, len(roles) - 1)].rstrip("?*")


def _free(stem: str, taken: set[str]) -> str:
    name, number = stem, 1
    while name in taken:
        name, number = f"{stem}_{number}", number + 1
    taken.add(name)
    return name
