"""Bias correction: biases take up the mean error that rounding brings into each layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from tinyflow.ir import Graph, Node, QuantParams
from tinyflow.ir.execute import Arrays, run_nodes
from tinyflow.quantize.ranges import fake_quantize
from tinyflow.quantize.simulate import clamp_of, constants_of, evaluate_float, without_clamp
from tinyflow.quantize.weights import QuantizedWeights, bias_limit, quantize_bias

_MEMORY = 512 << 20
_PIECE = 8


def correct_biases(
    graph: Graph,
    samples: Mapping[str, np.ndarray],
    params: Mapping[str, QuantParams],
    operands: Mapping[str, Mapping[str, np.ndarray]],
    weights: Mapping[str, QuantizedWeights],
) -> dict[str, QuantizedWeights]:
    """``weights`` (by node name) with ``bias += mean(float - quantized)`` per output channel.

    Goes through the network once, front to back: each layer sees the quantized inputs that the
    corrected layers before it compute. Looks at no more samples than fit into bounded memory
    together.
    """
    available = len(next(iter(samples.values())))
    count = min(available, max(1, _MEMORY // (2 * _peak_bytes(graph))))
    samples = {name: array[:count] for name, array in samples.items()}
    constants = constants_of(graph)
    corrected: dict[str, QuantizedWeights] = {}

    # Each activation is the float batch followed by the quantized batch.
    def evaluate(node: Node, values: list[np.ndarray]) -> np.ndarray:
        own = operands.get(node.name, {})
        named = list(zip(node.inputs, values, strict=True))
        exact = [v if name in constants else v[:count] for name, v in named]
        rounded = [own.get(name, v) if name in constants else v[count:] for name, v in named]
        bare, clamp = without_clamp(node), clamp_of(node)
        expected = _piecewise(bare, exact, constants, count)
        actual = _piecewise(bare, rounded, constants, count)
        if node.name in weights:
            before = weights[node.name]
            error = (expected - actual).reshape(-1, expected.shape[-1]).mean(0, dtype=np.float64)
            after = _shifted(before, error)
            actual = actual + (after.real_bias() - before.real_bias())
            corrected[node.name] = after
        return np.concatenate([clamp(expected), fake_quantize(clamp(actual), params[node.output])])

    doubled = {
        name: np.concatenate([samples[name], fake_quantize(samples[name], params[name])])
        for name in graph.inputs
    }
    run_nodes(graph, doubled, constants, evaluate)
    return corrected


def _piecewise(node: Node, operands: list[np.ndarray], constants: Arrays, count: int) -> np.ndarray:
    """Evaluates ``count`` samples, a few at a time: a convolution unfolds its whole input."""
    batched = [name not in constants for name in node.inputs]
    if not any(batched):
        return np.repeat(evaluate_float(node, operands), count, axis=0)
    parts = []
    for start in range(0, count, _PIECE):
        piece = slice(start, start + _PIECE)
        some = [v[piece] if b else v for v, b in zip(operands, batched, strict=True)]
        parts.append(evaluate_float(node, some))
    return np.concatenate(parts)


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
