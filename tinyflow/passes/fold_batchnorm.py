"""Folds scales and offsets per channel into the weights of layers before or behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from tinyflow.ir import NO_CLAMP, Clamp, Graph, GraphEditor, Node, Op
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.passes.affine import AffineNode, affine_node, clamp_through, pass_up
from tinyflow.passes.facts import clamp_of
from tinyflow.passes.push_down import push_down
from tinyflow.passes.weights import SCALES_OUTPUT, followed_by, read_weights, write_weights


def fold_batchnorm(graph: Graph) -> tuple[Graph, bool]:
    """BATCH_NORM, ADD, SUB and MUL with a constant per channel go into a neighbour's weights.

    In front: a layer with constant weights, LAYER_NORM included, directly or through pools, pads,
    reshapes and other layers that commute with the map. A clamp does where its bounds, mapped, are
    the same in each channel. Behind: all readers, where each can take the map up or hand it on
    (see `push_down`). In front of a layer with zero padding only a map without offset can fold:
    the padding is not offset. HARD_SIGMOID, a map with a clamp behind it, folds into what precedes
    it. Arithmetic is in float64, rounded once.
    """
    graph, up = _fold_each(graph, [node.name for node in graph.nodes], _fold_up)
    # From the end, so that of a chain of maps each finds its neighbour folded already.
    graph, down = _fold_each(graph, [node.name for node in reversed(graph.nodes)], _fold_down)
    return graph, up or down


def _fold_each(
    graph: Graph, names: Iterable[str], fold: Callable[[Graph, AffineNode], Graph | None]
) -> tuple[Graph, bool]:
    changed = False
    nodes = {node.name: node for node in graph.nodes}
    for name in names:
        node = nodes.get(name)
        affine = affine_node(graph, node) if node is not None else None
        folded = fold(graph, affine) if affine is not None and affine.map.is_finite else None
        if folded is not None:
            graph, changed = folded, True
            nodes = {node.name: node for node in graph.nodes}
    return graph, changed


def _fold_up(graph: Graph, affine: AffineNode) -> Graph | None:
    """Into the layer that computes what the map reads."""
    tensor, moving = affine.x, affine.map
    path: list[tuple[Node, Node]] = []
    while True:
        producer = graph.producer(tensor)
        if producer is None or graph.sole_consumer(tensor) is None:
            return None
        if producer.op in SCALES_OUTPUT:
            break
        passage = pass_up(graph, producer, moving)
        if passage is None:
            return None
        path.append((producer, passage.node))
        tensor, moving = producer.inputs[0], passage.map
    clamp = clamp_through(clamp_of(producer) or NO_CLAMP, moving, up=True)
    weights = read_weights(graph, producer)
    if weights is None or clamp is None:
        return None
    editor = GraphEditor(graph)
    for old, new in path:
        editor.replace_node(old, new)
    folded = write_weights(editor, producer, followed_by(producer, weights, moving))
    if folded is None:
        return None
    folded = replace(folded, sources=producer.sources + affine.node.sources)
    if not path and (clamp_of(producer) is not None or affine.clamp.is_identity):
        clamp = clamp.then(affine.clamp)
        folded = replace(folded, outputs=affine.node.outputs)
        editor.remove_node(affine.node)
    elif path and affine.clamp.is_identity:
        nearest = path[0][1]
        editor.replace_node(nearest, replace(nearest, outputs=affine.node.outputs))
        editor.remove_node(affine.node)
    else:
        rest = replace(affine.node, op=Op.CLAMP, inputs=(affine.x,), attrs=ClampAttrs(affine.clamp))
        editor.replace_node(affine.node, rest)
    editor.replace_node(producer, _with_clamp(folded, clamp))
    return editor.build()


def _with_clamp(node: Node, clamp: Clamp) -> Node:
    attrs: Any = node.attrs
    return node if clamp_of(node) is None else replace(node, attrs=replace(attrs, clamp=clamp))


def _fold_down(graph: Graph, affine: AffineNode) -> Graph | None:
    """Into the layers that read what the map computes."""
    if not affine.clamp.is_identity:
        return None
    node = affine.node
    editor = push_down(graph, node.output, affine.map, node.sources)
    if editor is None:
        return None
    editor.remove_node(node)
    editor.redirect(node.output, affine.x)
    return editor.build()
