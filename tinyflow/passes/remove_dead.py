"""Removes nodes that no graph output needs, and tensors that nobody uses."""

from __future__ import annotations

from tinyflow.ir import Graph, GraphEditor


def remove_dead(graph: Graph) -> tuple[Graph, bool]:
    """Graph inputs stay, used or not: they are part of the model's interface."""
    needed = set(graph.outputs)
    for node in reversed(graph.nodes):
        if needed.intersection(node.outputs):
            needed.update(node.inputs)
    keep = [node for node in graph.nodes if needed.intersection(node.outputs)]
    if len(keep) == len(graph.nodes) and not graph.tensors.keys() - needed - {*graph.inputs}:
        return graph, False
    editor = GraphEditor(graph)
    editor.nodes = keep
    return editor.build(), True
