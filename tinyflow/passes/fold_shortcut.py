"""Folds the shortcut around a depthwise convolution into its kernel."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tinyflow.ir import Graph, GraphEditor, Node, Op
from tinyflow.passes.facts import is_float
from tinyflow.passes.weights import Weights, read_weights, write_weights


def fold_shortcut(graph: Graph) -> tuple[Graph, bool]:
    """``x + depthwise(x)`` -> a depthwise convolution whose tap on the pixel itself is 1 greater.

    Needs stride 1, one output for each channel, padding that keeps the size, and no activation
    between. Arithmetic is in float64, rounded once.
    """
    changed = False
    for node in [node for node in graph.nodes if node.op is Op.ADD]:
        depthwise = _around(graph, node)
        folded = _fold(graph, node, depthwise) if depthwise is not None else None
        if folded is not None:
            graph, changed = folded, True
    return graph, changed


def _around(graph: Graph, node: Node) -> Node | None:
    """The depthwise convolution of one operand that makes the other, read by nothing else."""
    if not is_float(graph, node):
        return None
    for x, other in (node.inputs, node.inputs[::-1]):
        producer = graph.producer(other)
        if producer is None or producer.op is not Op.DEPTHWISE_CONV_2D or producer.inputs[0] != x:
            continue
        if graph.sole_consumer(other) is not None:
            return producer
    return None


def _fold(graph: Graph, node: Node, depthwise: Node) -> Graph | None:
    weights = read_weights(graph, depthwise)
    tap = _own_tap(graph, depthwise)
    if weights is None or tap is None:
        return None
    weight = weights.weight.copy()
    weight[0, tap[0], tap[1]] += 1
    editor = GraphEditor(graph)
    folded = write_weights(editor, depthwise, Weights(weight, weights.bias))
    if folded is None:
        return None
    attrs: Any = depthwise.attrs
    activation: Any = node.attrs
    editor.remove_node(node)
    editor.replace_node(
        depthwise,
        replace(
            folded,
            outputs=node.outputs,
            attrs=replace(attrs, clamp=activation.clamp),
            sources=depthwise.sources + node.sources,
        ),
    )
    return editor.build()


def _own_tap(graph: Graph, depthwise: Node) -> tuple[int, int] | None:
    """Row and column of the tap that reads the pixel whose place the result takes."""
    attrs: Any = depthwise.attrs
    x, weight = graph.operands(depthwise)[:2]
    if attrs.strides != (1, 1) or not attrs.clamp.is_identity:
        return None
    if graph.result(depthwise).shape != x.shape:
        return None
    before = np.array([side[0] for side in attrs.padding])
    tap, rest = np.divmod(before, attrs.dilations)
    if np.any(rest) or np.any(tap >= weight.shape[1:3]):
        return None
    return int(tap[0]), int(tap[1])
