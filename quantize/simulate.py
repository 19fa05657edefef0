"""A quantized network in float: codes are rounded and saturated, sums stay real.

Fast enough to compare many choices; the integer reference remains the definition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tinyflow.ir import NO_CLAMP, OPS, Clamp, Graph, Node, QuantParams, batches
from tinyflow.ir.execute import Arrays, run_nodes
from tinyflow.quantize.calibrate import batch_size
from tinyflow.quantize.ranges import fake_quantize


def without_clamp(node: Node) -> Node:
    """The node without its fused activation."""
    if clamp_of(node).is_identity:
        return node
    attrs: Any = node.attrs
    return replace(node, attrs=replace(attrs, clamp=NO_CLAMP))


def clamp_of(node: Node) -> Clamp:
    """The node's fused activation."""
    clamp: Clamp = getattr(node.attrs, "clamp", NO_CLAMP)
    return clamp


def evaluate_float(node: Node, operands: list[np.ndarray]) -> np.ndarray:
    return OPS[node.op].evaluate(node.attrs, *operands)


def constants_of(graph: Graph) -> Arrays:
    return {name: t.value for name, t in graph.constants.items()}


def simulate(
    graph: Graph,
    samples: Mapping[str, np.ndarray],
    params: Mapping[str, QuantParams],
    operands: Mapping[str, Mapping[str, np.ndarray]],
    observe: Callable[[str, np.ndarray], None],
) -> None:
    """Runs one batch with every activation rounded to its int8 codes.

    ``operands`` gives, per node name, the constants that it reads in place of the graph's own.
    """
    constants = constants_of(graph)
    inputs = {name: fake_quantize(samples[name], params[name]) for name in graph.inputs}

    def evaluate(node: Node, values: list[np.ndarray]) -> np.ndarray:
        own = operands.get(node.name, {})
        taken = [own.get(name, value) for name, value in zip(node.inputs, values, strict=True)]
        return fake_quantize(evaluate_float(node, taken), params[node.output])

    run_nodes(graph, inputs, constants, evaluate, observe)


def pairs(
    graph: Graph,
    samples: Mapping[str, np.ndarray],
    params: Mapping[str, QuantParams],
    operands: Mapping[str, Mapping[str, np.ndarray]],
    tensors: tuple[str, ...],
) -> Iterator[dict[str, tuple[np.ndarray, np.ndarray]]]:
    """Batch by batch, the float and the quantized values of the named tensors."""
    for batch in batches(samples, batch_size(graph)):
        floats: Arrays = {}
        quantized: Arrays = {}
        keep_floats, keep_quantized = _keeper(floats, tensors), _keeper(quantized, tensors)
        run_nodes(graph, dict(batch), constants_of(graph), evaluate_float, keep_floats)
        simulate(graph, batch, params, operands, keep_quantized)
        yield {name: (floats[name], quantized[name]) for name in tensors}


def _keeper(store: Arrays, tensors: tuple[str, ...]) -> Callable[[str, np.ndarray], None]:
    def keep(name: str, array: np.ndarray) -> None:
        if name in tensors:
            store[name] = array

    return keep
