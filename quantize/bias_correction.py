"""Bias correction: biases take up the mean error that rounding brings into each layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinyflow.ir import Graph, Node, QuantParams
from tinyflow.ir.execute import run_nodes
from tinyflow.quantize.ranges import fake_quantize
from tinyflow.quantize.simulate import clamp_of, constants_of, evaluate_float, without_clamp
from tinyflow.quantize.weights import QuantizedWeights, bias_limit, quantize_bias

_MEMORY = 512 << 20


@dataclass(frozen=True, eq=False)
class RoundedNetwork:
    """One way to round a network: ``params`` by activation, ``weights`` by node, and the real
    values ``operands`` of all integer constants by node and tensor."""

    params: Mapping[str, QuantParams]
    operands: Mapping[str, Mapping[str, np.ndarray]]
    weights: Mapping[str, QuantizedWeights]


def correct_biases(
    graph: Graph, samples: Mapping[str, np.ndarray], networks: Sequence[RoundedNetwork]
) -> list[dict[str, QuantizedWeights]]:
    """For each network its ``weights`` with ``bias += mean(float - quantized)`` per channel.

    Goes through the network once, front to back: each layer sees the quantized inputs that the
    corrected layers before it compute. Looks at no more samples than fit into bounded memory
    together.
    """
    available = len(next(iter(samples.values())))
    stacked = 1 + len(networks)
    count = min(available, max(1, _MEMORY // (stacked * _peak_bytes(graph))))
    constants = constants_of(graph)
    corrected: list[dict[str, QuantizedWeights]] = [{} for _ in networks]

    # Each activation is a stack: the float batch, then that of each network.
    def evaluate(node: Node, values: list[np.ndarray]) -> np.ndarray:
        bare, clamp = without_clamp(node), clamp_of(node)

        def sums(layer: int, own: Mapping[str, np.ndarray]) -> np.ndarray:
            operands = [
                own.get(name, value) if name in constants else value[layer]
                for name, value in zip(node.inputs, values, strict=True)
            ]
            result = evaluate_float(bare, operands)
            whole = all(name in constants for name in node.inputs)
            return np.repeat(result, count, axis=0) if whole else result

        exact = sums(0, {})
        stack = np.empty((stacked, *exact.shape), np.float32)
        for i, network in enumerate(networks):
            actual = sums(i + 1, network.operands.get(node.name, {}))
            if node.name in network.weights:
                before = network.weights[node.name]
                after = corrected[i][node.name] = _shifted(before, _mean_error(exact, actual))
                actual += after.real_bias() - before.real_bias()
            fake_quantize(clamp(actual), network.params[node.output], out=stack[i + 1])
        stack[0] = clamp(exact)
        return stack

    inputs = {name: samples[name][:count] for name in graph.inputs}
    stacks = {
        name: np.stack([x, *(fake_quantize(x, network.params[name]) for network in networks)])
        for name, x in inputs.items()
    }
    run_nodes(graph, stacks, constants, evaluate)
    return corrected


def _mean_error(exact: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """The mean of ``exact - actual`` per channel, float64."""
    error = exact - actual
    mean: np.ndarray = error.reshape(-1, error.shape[-1]).mean(0, dtype=np.float64)
    return mean


def _peak_bytes(graph: Graph) -> int:
    """About the most that one float sample's living activations take, while a layer runs."""
    living = set(graph.inputs)
    last = {name: node.name for node in graph.nodes for name in node.inputs}
    peak = 0
    for node in graph.nodes:
        living.add(node.output)
        peak = max(peak, sum(graph.tensors[name].elements for name in living))
        living -= {name for name in node.inputs if last[name] == node.name}
    return 4 * peak


def _shifted(weights: QuantizedWeights, shift: np.ndarray) -> QuantizedWeights:
    """The weights with a real value added to each bias, as far as int32 has room for it."""
    limit = bias_limit(weights.codes.size // len(weights.scales))
    bias = weights.bias_codes * weights.bias_scales + shift
    codes = quantize_bias(bias, weights.input_scale, weights.scales)
    return replace(weights, bias_codes=np.clip(codes, -limit, limit))
