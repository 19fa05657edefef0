"""A plan: one choice of parameters for every tensor of a graph, and what follows from it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinyflow.errors import Obstacle, UnsupportedError
from tinyflow.ir import OPS, Graph, GraphEditor, QuantParams, Tensor
from tinyflow.quantize.assemble import assemble, constant_params
from tinyflow.quantize.bias_correction import RoundedNetwork, correct_biases
from tinyflow.quantize.metrics import logit_tensors
from tinyflow.quantize.ranges import fake_quantize
from tinyflow.quantize.simulate import float_values, simulated_values
from tinyflow.quantize.weights import CHANNEL_AXIS, QuantizedWeights, quantize_weights

Samples = Mapping[str, np.ndarray]
Operands = Mapping[str, Mapping[str, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Plan:
    """All choices for a graph, and the constants that they lead to."""

    graph: Graph
    params: Mapping[str, QuantParams]
    weights: Mapping[str, QuantizedWeights]
    constants: Mapping[str, Mapping[str, QuantParams]]

    @property
    def operands(self) -> Operands:
        """The real values of the integer constants, by node and tensor name."""
        return _RealOperands(self)

    @classmethod
    def of(cls, graph: Graph, params: Mapping[str, QuantParams]) -> Plan:
        """The plan with these activation parameters and nearest-rounded constants.

        Requires `with_biases`.
        """
        return cls(graph, params, _weights(graph, params), _constants(graph, params))

    def quantized_graph(self) -> Graph:
        """The graph with integer constants; nodes have no integer forms yet."""
        return assemble(self.graph, self.params, self.weights, self.constants)

    def logit_sqnr(self, samples: Samples, exact: Samples) -> float:
        """Signal to noise of the logits in dB, averaged over outputs; NaN without samples.

        ``exact`` holds the float logits of these samples: see `float_logits`.
        """
        if not samples:
            return math.nan
        found = simulated_values(self.graph, samples, self.params, self.operands, list(exact))
        ratios = []
        for name, real in exact.items():
            signal = float(np.square(real, dtype=np.float64).sum())
            noise = float(np.square(real - found[name], dtype=np.float64).sum())
            if signal > 0.0:
                ratios.append(noise / signal)
        mean = float(np.mean(ratios)) if ratios else 0.0
        return -10.0 * math.log10(mean) if mean > 0.0 else math.inf


class _RealOperands(Mapping[str, Mapping[str, np.ndarray]]):
    """Computed when they are looked up: all at once, those of several plans would not fit into
    memory together for a large network."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._nodes = {node.name: node for node in plan.graph.nodes}

    def __getitem__(self, name: str) -> Mapping[str, np.ndarray]:
        node = self._nodes[name]
        if name in self._plan.weights:
            own = self._plan.weights[name]
            return dict(zip(node.inputs[1:], (own.real_weight(), own.real_bias()), strict=True))
        return {
            constant: fake_quantize(self._plan.graph.tensors[constant].value, params)
            for constant, params in self._plan.constants.get(name, {}).items()
        }

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)


def float_logits(graph: Graph, samples: Samples) -> Samples:
    """The logits of the float network; empty without samples."""
    return float_values(graph, samples, logit_tensors(graph)) if samples else {}


def corrected_plans(plans: Sequence[Plan], samples: Samples) -> list[Plan]:
    """The plans, all of one graph, with their biases corrected on these samples."""
    networks = [RoundedNetwork(p.params, p.operands, p.weights) for p in plans]
    weights = correct_biases(plans[0].graph, samples, networks)
    return [replace(plan, weights=own) for plan, own in zip(plans, weights, strict=True)]


def check_weights(graph: Graph) -> None:
    """Raises `UnsupportedError` for layers that do not multiply an activation by constants."""
    obstacles = [
        Obstacle(node.name, "it must multiply an activation by a constant weight")
        for node in graph.nodes
        if node.op in CHANNEL_AXIS
        and [t.is_constant for t in graph.operands(node)][:3]
        not in ([False, True], [False, True, True])
    ]
    if obstacles:
        raise UnsupportedError(obstacles)


def with_biases(graph: Graph) -> Graph:
    """The graph with a zero bias in each layer that could have one and has none."""
    editor = GraphEditor(graph)
    for node in graph.nodes:
        if node.op in CHANNEL_AXIS and len(node.inputs) == 2:
            channels = graph.operands(node)[1].shape[CHANNEL_AXIS[node.op]]
            bias = editor.add_constant(f"{node.name}_bias", np.zeros(channels, dtype=np.float32))
            editor.replace_node(node, replace(node, inputs=(*node.inputs, bias)))
    return editor.build()


def _weights(graph: Graph, params: Mapping[str, QuantParams]) -> dict[str, QuantizedWeights]:
    table = {}
    for node in graph.nodes:
        if node.op not in CHANNEL_AXIS:
            continue
        x, weight, bias = graph.operands(node)
        table[node.name] = quantize_weights(
            weight.value, bias.value, CHANNEL_AXIS[node.op], params[x.name].scale, weight.quant
        )
    return table


def _constants(
    graph: Graph, params: Mapping[str, QuantParams]
) -> dict[str, dict[str, QuantParams]]:
    """Parameters of the constant operands of layers that do not accumulate products, but for
    those that stay real."""
    return {
        node.name: {
            name: params[node.output]
            if OPS[node.op].same_params
            else _constant_params(graph.tensors[name])
            for name in node.inputs
            if graph.tensors[name].is_constant
        }
        for node in graph.nodes
        if node.op not in CHANNEL_AXIS and not OPS[node.op].real_constants
    }


def _constant_params(tensor: Tensor) -> QuantParams:
    """Those that the model brings along, or what covers the constant."""
    if tensor.quant is not None and tensor.quant.axis is None:
        return tensor.quant
    return constant_params(tensor.value)
