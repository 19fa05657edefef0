"""Removes a TRANSPOSE above a flattening RESHAPE by permuting the weights that read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from tinyflow.ir import Graph, GraphEditor, Node, Op
from tinyflow.ir.ops.concat import ConcatAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.passes.transposes.axes import inverse
from tinyflow.passes.transposes.chains import perm_of
from tinyflow.passes.transposes.constants import put_constant


@dataclass(frozen=True)
class Reader:
    """A node that reads features in another order if its constants follow.

    ``constants`` are the indices of its operands whose last axis runs over the features. ``order``
    is where the features that it reads come from: ``new[j] = old[order[j]]``.
    """

    node: Node
    constants: tuple[int, ...]
    order: np.ndarray


def flatten_in_any_order(graph: Graph) -> tuple[Graph, bool]:
    """TRANSPOSE, RESHAPE to one row, then layers with constants for each feature: the RESHAPE
    reads what was there before the TRANSPOSE, and the constants are permuted."""
    for node in graph.nodes:
        above = graph.producer(node.inputs[0])
        if above is None or above.op is not Op.TRANSPOSE or not is_flattening(graph, node):
            continue
        shape = graph.result(above).shape
        order = np.arange(int(np.prod(shape))).reshape(shape)
        order = order.transpose(inverse(perm_of(above))).reshape(-1)
        readers = readers_of(graph, node.output, order)
        if readers is None:
            continue
        editor = GraphEditor(graph)
        editor.replace_node(node, replace(node, inputs=above.inputs))
        for reader in readers:
            _permute(editor, graph, reader)
        return editor.build(), True
    return graph, False


def is_flattening(graph: Graph, node: Node) -> bool:
    """Whether a node is a RESHAPE to a single row of features."""
    if node.op is not Op.RESHAPE:
        return False
    assert isinstance(node.attrs, ReshapeAttrs)
    shape = node.attrs.shape
    return len(shape) > 1 and all(d == 1 for d in shape[:-1])


def readers_of(graph: Graph, tensor: str, order: np.ndarray) -> list[Reader] | None:
    """All nodes to change if the features of ``tensor`` come in ``order``; None if one cannot."""
    if tensor in graph.outputs:
        return None
    found: list[Reader] = []
    for node in graph.consumers(tensor):
        rule = _RULES.get(node.op)
        reader = rule(graph, node, tensor, order) if rule else None
        if reader is None:
            return None
        found.append(reader)
        if node.op is not Op.FULLY_CONNECTED:
            below = readers_of(graph, node.output, reader.order)
            if below is None:
                return None
            found += below
    return found


def _permute(editor: GraphEditor, graph: Graph, reader: Reader) -> None:
    node = next(n for n in editor.nodes if n.name == reader.node.name)
    inputs = list(node.inputs)
    for index in reader.constants:
        value = editor.tensors[inputs[index]].value[..., reader.order]
        inputs[index] = put_constant(editor, graph, inputs[index], value)
    editor.replace_node(node, replace(node, inputs=tuple(inputs)))


Rule = Callable[[Graph, Node, str, np.ndarray], Reader | None]


def _unary(graph: Graph, node: Node, tensor: str, order: np.ndarray) -> Reader | None:
    return Reader(node, (), order)


def _fully_connected(graph: Graph, node: Node, tensor: str, order: np.ndarray) -> Reader | None:
    weight = graph.tensors[node.inputs[1]]
    per_feature = weight.quant is not None and weight.quant.axis == 1
    return Reader(node, (1,), order) if weight.is_constant and not per_feature else None


def _batch_norm(graph: Graph, node: Node, tensor: str, order: np.ndarray) -> Reader | None:
    return Reader(node, (1, 2, 3, 4), order)


def _binary(graph: Graph, node: Node, tensor: str, order: np.ndarray) -> Reader | None:
    index = 1 - node.inputs.index(tensor)
    other = graph.tensors[node.inputs[index]]
    if not other.is_constant or graph.result(node).shape != graph.tensors[tensor].shape:
        return None
    if other.elements == 1:
        return Reader(node, (), order)
    return Reader(node, (index,), order) if other.quant is None else None


def _concat(graph: Graph, node: Node, tensor: str, order: np.ndarray) -> Reader | None:
    assert isinstance(node.attrs, ConcatAttrs)
    if node.attrs.axis != len(graph.result(node).shape) - 1 or node.inputs.count(tensor) != 1:
        return None
    joined = np.arange(graph.result(node).elements)
    start = 0
    for name in node.inputs:
        if name == tensor:
            joined[start : start + len(order)] = start + order
        start += graph.tensors[name].shape[-1]
    return Reader(node, (), joined)


_RULES: dict[Op, Rule] = {
    Op.ADD: _binary,
    Op.BATCH_NORM: _batch_norm,
    Op.CLAMP: _unary,
    Op.CONCAT: _concat,
    Op.FULLY_CONNECTED: _fully_connected,
    Op.FAKE_QUANT: _unary,
    Op.HARD_SIGMOID: _unary,
    Op.HARD_SWISH: _unary,
    Op.LEAKY_RELU: _unary,
    Op.MAXIMUM: _binary,
    Op.MINIMUM: _binary,
    Op.MUL: _binary,
    Op.PRELU: _binary,
    Op.QUANTIZE: _unary,
    Op.SIGMOID: _unary,
    Op.SUB: _binary,
    Op.TANH: _unary,
}
