"""A quantized network in float: codes are rounded and saturated, sums stay real.

Fast enough to compare many choices; the integer reference remains the definition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tinyflow.ir import NO_CLAMP, OPS, Clamp, Graph, Node, QuantParams, batches, execute
from tinyflow.ir.execute import Arrays, Observer, run_nodes
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


def float_values(graph: Graph, samples: Mapping[str, np.ndarray], names: Sequence[str]) -> Arrays:
    """The values of the named tensors [n, ...] over all samples, batch by batch."""
    return _collected(graph, samples, names, lambda batch, observe: execute(graph, batch, observe))


def simulated_values(
    graph: Graph,
    samples: Mapping[str, np.ndarray],
    params: Mapping[str, QuantParams],
    operands: Mapping[str, Mapping[str, np.ndarray]],
    names: Sequence[str],
) -> Arrays:
    """As `float_values`, with every activation rounded: see `simulate`."""
    return _collected(
        graph, samples, names, lambda batch, see: simulate(graph, batch, params, operands, see)
    )


def _collected(
    graph: Graph,
    samples: Mapping[str, np.ndarray],
    names: Sequence[str],
    run: Callable[[Arrays, Observer], object],
) -> Arrays:
    parts: dict[str, list[np.ndarray]] = {name: [] for name in names}

    def keep(name: str, array: np.ndarray) -> None:
        if name in parts:
            parts[name].append(array)

    for batch in batches(samples, batch_size(graph)):
        run(batch, keep)
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}
