"""Moves a CLAMP into the layer whose result it clamps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinyflow.ir import Graph, GraphEditor, Node, Op
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.passes.facts import clamp_of, find_node, same_codes

# Moving elements about and clamping them can be done in either order.
_MOVES = {Op.RESHAPE, Op.TRANSPOSE}


def fuse_clamp(graph: Graph) -> tuple[Graph, bool]:
    """A clamp whose operand nothing else reads becomes part of the producer's own.

    In quantized graphs this is exact where the CLAMP keeps scale and zero point.
    """
    changed = False
    for name in [node.name for node in graph.nodes if node.op is Op.CLAMP]:
        node = find_node(graph, name)
        path = _path_up(graph, node) if node is not None else None
        if node is not None and path is not None:
            graph, changed = _fuse(graph, node, path), True
    return graph, changed


def _path_up(graph: Graph, node: Node) -> list[Node] | None:
    """The nodes from the one before the CLAMP up to one that can clamp by itself."""
    path: list[Node] = []
    tensor = node.inputs[0]
    while graph.sole_consumer(tensor) is not None and same_codes(graph, tensor, node.output):
        producer = graph.producer(tensor)
        if producer is None:
            return None
        path.append(producer)
        if clamp_of(producer) is not None:
            return path
        if producer.op not in _MOVES:
            return None
        tensor = producer.inputs[0]
    return None


def _fuse(graph: Graph, node: Node, path: list[Node]) -> Graph:
    assert isinstance(node.attrs, ClampAttrs)
    editor = GraphEditor(graph)
    editor.remove_node(node)
    producer = path[-1]
    attrs: Any = producer.attrs
    attrs = replace(attrs, clamp=attrs.clamp.then(node.attrs.clamp))
    fused = replace(producer, attrs=attrs, sources=producer.sources + node.sources)
    editor.replace_node(producer, fused)
    last = fused if len(path) == 1 else path[0]
    editor.replace_node(last, replace(last, outputs=node.outputs))
    return editor.build()
