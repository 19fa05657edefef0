"""Puts chosen parameters and integer constants on a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from tinyflow.ir import DType, Graph, GraphEditor, Node, QuantParams, Tensor
from tinyflow.quantize.ranges import Range
from tinyflow.quantize.weights import QuantizedWeights


def constant_params(data: np.ndarray) -> QuantParams:
    """Per-tensor parameters that cover a constant."""
    return Range(float(data.min()), float(data.max())).params()


def assemble(
    graph: Graph,
    params: Mapping[str, QuantParams],
    weights: Mapping[str, QuantizedWeights],
    constants: Mapping[str, Mapping[str, QuantParams]],
) -> Graph:
    """The graph with int8 activations and constants and int32 biases.

    Constants that only go into a node's integers (``real_constants``) stay as they are.
    ``params`` per activation; ``weights`` per node that accumulates products; ``constants`` per
    other node and constant operand. A constant that several nodes read is stored once for each
    different set of codes; a bias belongs to one input scale and thus to one node.
    """
    editor = GraphEditor(graph)
    for name in graph.constants:
        if name not in graph.outputs:
            del editor.tensors[name]
    for name, tensor in list(editor.tensors.items()):
        if tensor.is_constant:
            editor.tensors[name] = _quantized(name, tensor.value, constant_params(tensor.value))
        else:
            editor.tensors[name] = replace(tensor, dtype=DType.INT8, quant=params[name])
    store = _ConstantStore(editor)
    editor.nodes = [
        _with_weights(node, weights[node.name], store)
        if node.name in weights
        else _with_constants(graph, node, constants.get(node.name, {}), store)
        for node in graph.nodes
    ]
    return editor.build()


class _ConstantStore:
    """Adds constants to a graph, equal ones of the same origin only once."""

    def __init__(self, editor: GraphEditor) -> None:
        self._editor = editor
        self._names: dict[tuple[str, QuantParams | None, bytes], str] = {}

    def add(self, tensor: Tensor) -> str:
        key = (tensor.name, tensor.quant, tensor.value.tobytes())
        if key not in self._names:
            self._names[key] = self._editor.add_tensor(tensor)
        return self._names[key]


def _quantized(name: str, data: np.ndarray, params: QuantParams) -> Tensor:
    return Tensor.constant(name, params.quantize(data, DType.INT8), params)


def _stored(tensor: Tensor, params: QuantParams | None) -> Tensor:
    return tensor if params is None else _quantized(tensor.name, tensor.value, params)


def _with_weights(node: Node, weights: QuantizedWeights, store: _ConstantStore) -> Node:
    x, weight, bias = node.inputs
    weight = store.add(weights.weight_tensor(weight))
    return replace(node, inputs=(x, weight, store.add(weights.bias_tensor(bias))))


def _with_constants(
    graph: Graph, node: Node, params: Mapping[str, QuantParams], store: _ConstantStore
) -> Node:
    inputs = tuple(
        store.add(_stored(graph.tensors[name], params.get(name)))
        if graph.tensors[name].is_constant
        else name
        for name in node.inputs
    )
    return replace(node, inputs=inputs)
