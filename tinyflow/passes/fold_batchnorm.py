"""Folds scales and offsets per channel into the weights of a layer before or behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinyflow.ir import NO_CLAMP, Graph, GraphEditor, Node, Op, Tensor
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.spatial import NO_PADDING
from tinyflow.passes.affine import (
    Affine,
    AffineNode,
    affine_node,
    clamp_through,
    pass_down,
    pass_up,
)
from tinyflow.passes.facts import clamp_of, find_node, is_float

# The axis of the weight along which output channels lie.
_OUTPUT_AXIS = {
    Op.CONV_2D: 0,
    Op.DEPTHWISE_CONV_2D: 3,
    Op.FULLY_CONNECTED: 0,
    Op.TRANSPOSE_CONV_2D: 0,
}


@dataclass(frozen=True, eq=False)
class _Weights:
    """Weight and bias of a layer in float64."""

    weight: np.ndarray
    bias: np.ndarray


def fold_batchnorm(graph: Graph) -> tuple[Graph, bool]:
    """BATCH_NORM, ADD, SUB and MUL with a constant per channel go into a neighbour's weights.

    The neighbour is a layer with constant weights, directly or through pools, pads, reshapes and
    other layers that commute with the map. A clamp does where its bounds, mapped, are the same in
    each channel. In front of a layer with zero padding only a map without offset can fold: the
    padding is not offset. HARD_SIGMOID, a map with a clamp behind it, folds into what precedes
    it. Arithmetic is in float64, rounded once.
    """
    forward = [node.name for node in graph.nodes]
    graph, up = _fold_each(graph, forward, _fold_up)
    # From the end, so that of a chain of maps each finds its neighbour folded already.
    graph, down = _fold_each(graph, reversed(forward), _fold_down)
    return graph, up or down


def _fold_each(
    graph: Graph, names: Iterable[str], fold: Callable[[Graph, AffineNode], Graph | None]
) -> tuple[Graph, bool]:
    changed = False
    for name in names:
        node = find_node(graph, name)
        affine = affine_node(graph, node) if node is not None else None
        folded = fold(graph, affine) if affine is not None and affine.map.is_finite else None
        if folded is not None:
            graph, changed = folded, True
    return graph, changed


def _fold_up(graph: Graph, affine: AffineNode) -> Graph | None:
    """Into the layer that computes what the map reads."""
    editor = GraphEditor(graph)
    tensor, moving = affine.x, affine.map
    nearest: Node | None = None
    while True:
        producer = graph.producer(tensor)
        if producer is None or graph.sole_consumer(tensor) is None:
            return None
        if producer.op in _OUTPUT_AXIS:
            break
        passage = pass_up(graph, producer, moving)
        if passage is None:
            return None
        editor.replace_node(producer, passage.node)
        nearest = nearest or passage.node
        tensor, moving = producer.inputs[0], passage.map
    clamp = clamp_through(clamp_of(producer) or NO_CLAMP, moving, up=True)
    weights = _read(graph, producer) if is_float(graph, producer) else None
    if weights is None or clamp is None:
        return None
    axis = _OUTPUT_AXIS[producer.op]
    scale = moving.scale.reshape([-1 if i == axis else 1 for i in range(weights.weight.ndim)])
    scaled = _Weights(weights.weight * scale, weights.bias * moving.scale + moving.offset)
    folded = _write(editor, producer, scaled)
    if folded is None:
        return None
    attrs: Any = folded.attrs
    if nearest is None:
        clamp = clamp.then(affine.clamp)
        folded = replace(folded, outputs=affine.node.outputs)
        editor.remove_node(affine.node)
    elif affine.clamp == NO_CLAMP:
        editor.replace_node(nearest, replace(nearest, outputs=affine.node.outputs))
        editor.remove_node(affine.node)
    else:
        rest = replace(affine.node, op=Op.CLAMP, inputs=(affine.x,), attrs=ClampAttrs(affine.clamp))
        editor.replace_node(affine.node, rest)
    sources = producer.sources + affine.node.sources
    attrs = replace(attrs, clamp=clamp)
    editor.replace_node(producer, replace(folded, attrs=attrs, sources=sources))
    return editor.build()


def _fold_down(graph: Graph, affine: AffineNode) -> Graph | None:
    """Into the layer that reads what the map computes."""
    if not affine.clamp.is_identity:
        return None
    editor = GraphEditor(graph)
    tensor, moving = affine.node.output, affine.map
    while True:
        reader = graph.sole_consumer(tensor)
        if reader is None:
            return None
        if reader.op in _ABSORB:
            break
        passage = pass_down(graph, reader, moving)
        if passage is None:
            return None
        editor.replace_node(reader, passage.node)
        tensor, moving = reader.output, passage.map
    weights = _read(graph, reader) if is_float(graph, reader) else None
    if weights is None or reader.inputs[0] != tensor:
        return None
    absorbed = _ABSORB[reader.op](reader, weights, moving)
    folded = _write(editor, reader, absorbed) if absorbed is not None else None
    if folded is None:
        return None
    folded = replace(folded, sources=affine.node.sources + reader.sources)
    editor.replace_node(reader, folded)
    editor.remove_node(affine.node)
    editor.redirect(affine.node.output, affine.x)
    return editor.build()


def _into_conv(node: Node, weights: _Weights, before: Affine) -> _Weights | None:
    attrs: Any = node.attrs
    if np.any(before.offset) and attrs.padding != NO_PADDING:
        return None
    outputs, _, _, per_group = weights.weight.shape
    group = np.arange(outputs) // (outputs // attrs.groups)
    channel = group[:, None] * per_group + np.arange(per_group)
    scale, offset = before.scale[channel], before.offset[channel]
    gain = weights.weight.sum(axis=(1, 2))
    return _Weights(
        weights.weight * scale[:, None, None, :], weights.bias + (gain * offset).sum(axis=1)
    )


def _into_depthwise(node: Node, weights: _Weights, before: Affine) -> _Weights | None:
    attrs: Any = node.attrs
    if np.any(before.offset) and attrs.padding != NO_PADDING:
        return None
    multiplier = weights.weight.shape[3] // before.channels
    scale, offset = np.repeat(before.scale, multiplier), np.repeat(before.offset, multiplier)
    gain = weights.weight.sum(axis=(0, 1, 2))
    return _Weights(weights.weight * scale, weights.bias + gain * offset)


def _into_fully_connected(node: Node, weights: _Weights, before: Affine) -> _Weights | None:
    return _Weights(weights.weight * before.scale, weights.bias + weights.weight @ before.offset)


def _into_transpose_conv(node: Node, weights: _Weights, before: Affine) -> _Weights | None:
    """Pixels of the result see different numbers of taps, so that an offset cannot fold."""
    if np.any(before.offset):
        return None
    return _Weights(weights.weight * before.scale, weights.bias)


_ABSORB: dict[Op, Callable[[Node, _Weights, Affine], _Weights | None]] = {
    Op.CONV_2D: _into_conv,
    Op.DEPTHWISE_CONV_2D: _into_depthwise,
    Op.FULLY_CONNECTED: _into_fully_connected,
    Op.TRANSPOSE_CONV_2D: _into_transpose_conv,
}


def _read(graph: Graph, node: Node) -> _Weights | None:
    constants = [graph.tensors[name] for name in node.inputs[1:]]
    if not constants or not all(t.is_constant for t in constants):
        return None
    weight = constants[0].value.astype(np.float64)
    channels = weight.shape[_OUTPUT_AXIS[node.op]]
    bias = constants[1].value.astype(np.float64) if len(constants) > 1 else np.zeros(channels)
    return _Weights(weight, bias)


def _write(editor: GraphEditor, node: Node, weights: _Weights) -> Node | None:
    """The node with new constants; None where float32 cannot hold them."""
    with np.errstate(over="ignore"):
        weight, bias = weights.weight.astype(np.float32), weights.bias.astype(np.float32)
    if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        return None
    inputs = [node.inputs[0], _replace_constant(editor, node.inputs[1], weight)]
    if len(node.inputs) > 2:
        inputs.append(_replace_constant(editor, node.inputs[2], bias))
    elif np.any(bias):
        inputs.append(editor.add_constant(f"{node.name}/bias", bias))
    return replace(node, inputs=tuple(inputs))


def _replace_constant(editor: GraphEditor, name: str, data: np.ndarray) -> str:
    """Under the same name, unless others read the old constant too."""
    if editor.graph.sole_consumer(name) is None:
        return editor.add_constant(name, data)
    editor.tensors[name] = Tensor.constant(name, data)
    return name
