"""Runs a graph in float with NumPy: the definition that quantization is measured against."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from tinyflow.ir.graph import Graph
from tinyflow.ir.node import Node
from tinyflow.ir.ops import OPS

Arrays = dict[str, np.ndarray]
Observer = Callable[[str, np.ndarray], None]


def execute(
    graph: Graph,
    inputs: Mapping[str, np.ndarray],
    observe: Observer | None = None,
    dtype: type[np.floating] = np.float32,
) -> Arrays:
    """The graph's outputs for a batch of inputs.

    ``inputs`` are float arrays [batch, ...] in the graph's own layout. ``observe(name, array)``
    sees each activation, graph inputs included, as soon as it is computed. ``dtype`` float64
    computes in double precision.
    """
    constants = {
        name: t.value.astype(dtype, copy=False) if t.value.dtype.kind == "f" else t.value
        for name, t in graph.constants.items()
    }
    activations = {name: np.asarray(inputs[name], dtype=dtype) for name in graph.inputs}

    def evaluate(node: Node, operands: list[np.ndarray]) -> np.ndarray:
        return OPS[node.op].evaluate(node.attrs, *operands)

    return run_nodes(graph, activations, constants, evaluate, observe)


def run_nodes(
    graph: Graph,
    activations: Arrays,
    constants: Arrays,
    evaluate: Callable[[Node, list[np.ndarray]], np.ndarray],
    observe: Observer | None = None,
) -> Arrays:
    """Executes the nodes in order, letting go of each activation after its last reader."""
    last_reader = {name: node.name for node in graph.nodes for name in node.inputs}
    live = dict(activations)
    if observe is not None:
        for name in graph.inputs:
            observe(name, live[name])
    for node in graph.nodes:
        operands = [constants[i] if i in constants else live[i] for i in node.inputs]
        live[node.output] = evaluate(node, operands)
        if observe is not None:
            observe(node.output, live[node.output])
        for name in dict.fromkeys((*node.inputs, node.output)):
            if last_reader.get(name, node.name) == node.name and name not in graph.outputs:
                live.pop(name, None)
    return {name: constants[name] if name in constants else live[name] for name in graph.outputs}


def batches(inputs: Mapping[str, np.ndarray], size: int) -> Iterator[Arrays]:
    """Cuts a set of inputs into batches of at most ``size``."""
    total = len(next(iter(inputs.values())))
    for start in range(0, total, size):
        yield {name: array[start : start + size] for name, array in inputs.items()}


def execute_batched(graph: Graph, inputs: Mapping[str, np.ndarray], batch_size: int = 64) -> Arrays:
    """As `execute`, over any number of inputs in bounded memory."""
    parts = [execute(graph, batch) for batch in batches(inputs, batch_size)]
    return {name: np.concatenate([p[name] for p in parts]) for name in graph.outputs}
