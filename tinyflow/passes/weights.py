"""Constant weights of layers in float64, and what they become when a map per channel joins them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinyflow.ir import OPS, Graph, GraphEditor, Node, Op, Tensor
from tinyflow.ir.ops.spatial import NO_PADDING
from tinyflow.passes.affine import Affine
from tinyflow.passes.facts import is_float

_OUTPUT_AXIS: dict[Op, int] = {
    **{op: spec.weight_axis for op, spec in OPS.items() if spec.weight_axis is not None},
    # Its weight is its gamma.
    Op.LAYER_NORM: 0,
}
"""The axis of the weight along which output channels lie."""

SCALES_OUTPUT = frozenset(_OUTPUT_AXIS)
"""Operations whose weights can take up a map of the result."""


@dataclass(frozen=True, eq=False)
class Weights:
    """Weight and bias of a layer in float64."""

    weight: np.ndarray
    bias: np.ndarray


def read_weights(graph: Graph, node: Node) -> Weights | None:
    """None where weight or bias is computed, or is no float."""
    constants = [graph.tensors[name] for name in node.inputs[1:]]
    if not is_float(graph, node) or not all(t.is_constant for t in constants):
        return None
    if constants:
        weight = constants[0].value.astype(np.float64)
    elif node.op is Op.LAYER_NORM:
        weight = np.ones(graph.result(node).shape[-1])
    else:
        return None
    channels = weight.shape[_OUTPUT_AXIS[node.op]]
    bias = constants[1].value.astype(np.float64) if len(constants) > 1 else np.zeros(channels)
    return Weights(weight, bias)


def write_weights(editor: GraphEditor, node: Node, weights: Weights) -> Node | None:
    """The node with new constants, rounded once; None where its element type cannot hold them."""
    dtype = editor.graph.result(node).dtype.numpy
    with np.errstate(over="ignore"):
        weight, bias = weights.weight.astype(dtype), weights.bias.astype(dtype)
    if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        return None
    inputs = [node.inputs[0]]
    for position, (stem, data) in enumerate((("weight", weight), ("bias", bias)), start=1):
        if len(node.inputs) > position:
            inputs.append(_replace_constant(editor, node.inputs[position], data))
        elif stem == "weight" or np.any(data):
            inputs.append(editor.add_constant(f"{node.name}/{stem}", data))
    return replace(node, inputs=tuple(inputs))


def _replace_constant(editor: GraphEditor, name: str, data: np.ndarray) -> str:
    """Under the same name, unless others read the old constant too."""
    if editor.graph.sole_consumer(name) is None:
        return editor.add_constant(name, data)
    editor.tensors[name] = Tensor.constant(name, data)
    return name


def followed_by(node: Node, weights: Weights, after: Affine) -> Weights:
    """The weights with which a layer of `SCALES_OUTPUT` also computes a map of its result."""
    axis = _OUTPUT_AXIS[node.op]
    scale = after.scale.reshape([-1 if i == axis else 1 for i in range(weights.weight.ndim)])
    return Weights(weights.weight * scale, weights.bias * after.scale + after.offset)


def preceded_by(node: Node, weights: Weights, before: Affine) -> Weights | None:
    """The weights with which a layer of `ABSORBS` also computes a map of its operand.

    None where an offset would have to reach pixels of padding, which are zero.
    """
    return _PRECEDED[node.op](node, weights, before)


def _into_conv(node: Node, weights: Weights, before: Affine) -> Weights | None:
    attrs: Any = node.attrs
    if np.any(before.offset) and attrs.padding != NO_PADDING:
        return None
    outputs, _, _, per_group = weights.weight.shape
    group = np.arange(outputs) // (outputs // attrs.groups)
    channel = group[:, None] * per_group + np.arange(per_group)
    scale, offset = before.scale[channel], before.offset[channel]
    gain = weights.weight.sum(axis=(1, 2))
    return Weights(
        weights.weight * scale[:, None, None, :], weights.bias + (gain * offset).sum(axis=1)
    )


def _into_depthwise(node: Node, weights: Weights, before: Affine) -> Weights | None:
    attrs: Any = node.attrs
    if np.any(before.offset) and attrs.padding != NO_PADDING:
        return None
    multiplier = weights.weight.shape[3] // before.channels
    scale, offset = np.repeat(before.scale, multiplier), np.repeat(before.offset, multiplier)
    gain = weights.weight.sum(axis=(0, 1, 2))
    return Weights(weights.weight * scale, weights.bias + gain * offset)


def _into_fully_connected(node: Node, weights: Weights, before: Affine) -> Weights | None:
    return Weights(weights.weight * before.scale, weights.bias + weights.weight @ before.offset)


def _into_transpose_conv(node: Node, weights: Weights, before: Affine) -> Weights | None:
    """Pixels of the result see different numbers of taps, so that an offset cannot fold."""
    if np.any(before.offset):
        return None
    return Weights(weights.weight * before.scale, weights.bias)


_PRECEDED: dict[Op, Callable[[Node, Weights, Affine], Weights | None]] = {
    Op.CONV_2D: _into_conv,
    Op.DEPTHWISE_CONV_2D: _into_depthwise,
    Op.FULLY_CONNECTED: _into_fully_connected,
    Op.TRANSPOSE_CONV_2D: _into_transpose_conv,
}

ABSORBS = frozenset(_PRECEDED)
"""Operations whose weights can take up a map of the operand."""
