"""Drops the bias of the layer that computes the keys of an ATTENTION."""

from __future__ import annotations

from dataclasses import replace

from tinyflow.ir import Graph, GraphEditor, Node, Op
from tinyflow.passes.facts import clamp_of, is_float

_LAYERS = {Op.CONV_2D, Op.DEPTHWISE_CONV_2D, Op.FULLY_CONNECTED}

# These keep the channels of every token together, so that they meet the same query.
_MOVES = {Op.RESHAPE, Op.TRANSPOSE}


def drop_key_bias(graph: Graph) -> tuple[Graph, bool]:
    """It adds the same number to all scores of a query, which softmax does not see.

    Only where nothing else reads the keys.
    """
    editor = GraphEditor(graph)
    changed = False
    for node in graph.nodes:
        layer = _key_layer(graph, node) if node.op is Op.ATTENTION else None
        if layer is not None:
            editor.replace_node(layer, replace(layer, inputs=layer.inputs[:2]))
            changed = True
    return (editor.build(), True) if changed else (graph, False)


def _key_layer(graph: Graph, attention: Node) -> Node | None:
    """The layer with a bias that computes the keys."""
    tensor = attention.inputs[1]
    channels = graph.tensors[tensor].shape[-1]
    if tensor in (attention.inputs[0], attention.inputs[2]):
        return None
    while True:
        producer = graph.producer(tensor)
        if producer is None or graph.sole_consumer(tensor) is None:
            return None
        if graph.result(producer).shape[-1] != channels or not is_float(graph, producer):
            return None
        if producer.op in _LAYERS:
            break
        if producer.op not in _MOVES:
            return None
        tensor = producer.inputs[0]
    clamp = clamp_of(producer)
    if len(producer.inputs) < 3 or clamp is None or not clamp.is_identity:
        return None
    return producer
