"""Post-training quantization of a float graph to int8, from calibration to integer constants."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tinyflow.errors import DataError, Obstacle, UnsupportedError
from tinyflow.ir import OPS, Graph, GraphEditor, QuantParams, check_graph
from tinyflow.quantize.assemble import assemble, constant_params
from tinyflow.quantize.attach import attach_integers
from tinyflow.quantize.bias_correction import correct_biases
from tinyflow.quantize.bounds import useful_range
from tinyflow.quantize.calibrate import check_samples, observe_histograms, observe_ranges
from tinyflow.quantize.choose_ranges import choose_ranges
from tinyflow.quantize.metrics import logit_tensors
from tinyflow.quantize.options import Progress, QuantizeOptions
from tinyflow.quantize.ranges import Range, candidates, fake_quantize, union
from tinyflow.quantize.shared_scales import (
    ScaleGroup,
    scale_groups,
    separate_costly_ranges,
    separate_fixed_outputs,
)
from tinyflow.quantize.simulate import pairs
from tinyflow.quantize.weights import CHANNEL_AXIS, QuantizedWeights, quantize_weights

Samples = Mapping[str, np.ndarray]
Operands = Mapping[str, Mapping[str, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Quantized:
    """A quantized graph and what was decided on the way.

    ``observed`` and ``used`` are the ranges by tensor name; ``bias_corrected`` tells whether the
    correction was kept. ``logit_sqnr_db`` is measured on the held-out calibration samples; it is
    NaN where there were too few samples to hold any out.
    """

    graph: Graph
    observed: Mapping[str, Range]
    used: Mapping[str, Range]
    bias_corrected: bool
    logit_sqnr_db: float


def quantize_model(
    graph: Graph,
    calibration: Samples,
    options: QuantizeOptions | None = None,
    progress: Progress | None = None,
) -> Graph:
    """The float graph in int8, every multiplier and table attached.

    ``calibration`` holds, per graph input, float samples [n, ...] in the graph's stored layout.
    Raises `DataError` where these do not fit the model.
    """
    return quantize_and_record(graph, calibration, options, progress).graph


def quantize_and_record(
    graph: Graph,
    calibration: Samples,
    options: QuantizeOptions | None = None,
    progress: Progress | None = None,
) -> Quantized:
    """As `quantize_model`, with the decisions taken."""
    options = options or QuantizeOptions()
    samples = check_samples(graph, calibration)
    _check_weights(graph)
    graph = with_biases(graph)
    search, fit, held = _split(samples, options)

    graph = separate_fixed_outputs(graph)
    observed = observe_ranges(graph, samples, progress)
    known = _known_ranges(graph, observed, options)
    graph, observed = separate_costly_ranges(graph, {**observed, **known}, options.shared_range_db)
    groups = scale_groups(graph)
    used = _pick_ranges(graph, samples, search, groups, observed, known, options, progress)
    params = {
        name: group.fixed or chosen.params()
        for group, chosen in zip(groups, used, strict=True)
        for name in group.members
    }

    plan = _Plan(graph, params, _weights(graph, params), _constants(graph, params))
    sqnr = plan.logit_sqnr(held)
    corrected = False
    if options.bias_correction and fit and held:
        plan_after = plan.with_weights(
            correct_biases(graph, fit, params, plan.operands, plan.weights)
        )
        after = plan_after.logit_sqnr(held)
        if after > sqnr:
            plan, sqnr, corrected = plan_after, after, True

    result = assemble(graph, params, plan.weights, plan.constants)
    check_graph(result, "quantization")
    ranges = {n: r for g, r in zip(groups, used, strict=True) for n in g.members}
    return Quantized(
        graph=attach_integers(result, options.rounding),
        observed=observed,
        used=ranges,
        bias_corrected=corrected,
        logit_sqnr_db=sqnr,
    )


@dataclass(frozen=True, eq=False)
class _Plan:
    """All choices for a graph, and the constants that they lead to."""

    graph: Graph
    params: Mapping[str, QuantParams]
    weights: Mapping[str, QuantizedWeights]
    constants: Mapping[str, Mapping[str, QuantParams]]
    operands: Operands = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "operands", self._operands())

    def _operands(self) -> Operands:
        """The real values of the integer constants, by node and tensor name."""
        table: dict[str, dict[str, np.ndarray]] = {}
        for node in self.graph.nodes:
            if node.name in self.weights:
                own = self.weights[node.name]
                real = (own.real_weight(), own.real_bias())
                table[node.name] = dict(zip(node.inputs[1:], real, strict=False))
            else:
                table[node.name] = {
                    name: fake_quantize(self.graph.tensors[name].value, params)
                    for name, params in self.constants.get(node.name, {}).items()
                }
        return table

    def with_weights(self, weights: Mapping[str, QuantizedWeights]) -> _Plan:
        return _Plan(self.graph, self.params, weights, self.constants)

    def logit_sqnr(self, samples: Samples) -> float:
        """Signal to noise of the logits in dB, averaged over outputs; NaN without samples."""
        if not samples:
            return math.nan
        names = logit_tensors(self.graph)
        signal, noise = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
        for batch in pairs(self.graph, samples, self.params, self.operands, names):
            for name, (real, test) in batch.items():
                signal[name] += float(np.square(real, dtype=np.float64).sum())
                noise[name] += float(np.square(real - test, dtype=np.float64).sum())
        ratios = [noise[n] / signal[n] for n in names if signal[n] > 0.0]
        mean = float(np.mean(ratios)) if ratios else 0.0
        return -10.0 * math.log10(mean) if mean > 0.0 else math.inf


def _check_weights(graph: Graph) -> None:
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


def _split(samples: Samples, options: QuantizeOptions) -> tuple[Samples, Samples, Samples]:
    """A bounded random choice of the samples: all of it, the part to fit on, the held-out part.

    The last two are empty where there are too few samples.
    """
    total = len(next(iter(samples.values())))
    order = np.random.default_rng(options.seed).permutation(total)[: options.search_samples]
    held = round(len(order) * options.held_out)

    def take(index: np.ndarray) -> Samples:
        return {n: a[np.sort(index)] for n, a in samples.items()} if len(index) else {}

    if held == 0 or held == len(order):
        return take(order), {}, {}
    return take(order), take(order[held:]), take(order[:held])


def _known_ranges(
    graph: Graph, observed: Mapping[str, Range], options: QuantizeOptions
) -> dict[str, Range]:
    known = {}
    for name, (lo, hi) in options.input_ranges.items():
        if name not in graph.inputs:
            raise DataError(
                f"a range is given for '{name}', which is no input of the model",
                f"its inputs are {', '.join(graph.inputs)}",
            )
        slack = (hi - lo) / 100
        seen = observed[name]
        if seen.lo < lo - slack or seen.hi > hi + slack:
            raise DataError(
                f"the range given for input '{name}' is ({lo:g}, {hi:g}), "
                f"but the calibration data reach from {seen.lo:g} to {seen.hi:g}",
                "give the range of the data as the model sees them, after preprocessing",
            )
        known[name] = Range(lo, hi)
    return known


def _pick_ranges(
    graph: Graph,
    samples: Samples,
    search: Samples,
    groups: Sequence[ScaleGroup],
    observed: Mapping[str, Range],
    known: Mapping[str, Range],
    options: QuantizeOptions,
    progress: Progress | None,
) -> list[Range]:
    """One range per group; that of a fixed group only says what was seen."""
    spans = [
        union(observed[name] for name in group.members).clipped(useful_range(graph, group.members))
        for group in groups
    ]
    by_tensor = {
        name: span.with_zero()
        for group, span in zip(groups, spans, strict=True)
        if group.fixed is None
        for name in group.members
    }
    counts = observe_histograms(graph, samples, by_tensor, progress)
    choices: list[tuple[Range, ...]] = []
    for group, span in zip(groups, spans, strict=True):
        if group.fixed is not None:
            choices.append((span,))
            continue
        histogram = np.sum([counts[name] for name in group.members], axis=0)
        needed = [known[name] for name in group.members if name in known]
        ranges = candidates(histogram, span.with_zero(), options)
        choices.append(tuple(dict.fromkeys(union([r, *needed]) for r in ranges)))
    return choose_ranges(graph, search, groups, choices, progress)


def _weights(graph: Graph, params: Mapping[str, QuantParams]) -> dict[str, QuantizedWeights]:
    table = {}
    for node in graph.nodes:
        if node.op not in CHANNEL_AXIS:
            continue
        x, weight, bias = graph.operands(node)
        table[node.name] = quantize_weights(
            weight.value, bias.value, CHANNEL_AXIS[node.op], params[x.name].scale
        )
    return table


def _constants(
    graph: Graph, params: Mapping[str, QuantParams]
) -> dict[str, dict[str, QuantParams]]:
    """Parameters of the constant operands of layers that do not accumulate products."""
    return {
        node.name: {
            name: params[node.output]
            if OPS[node.op].same_params
            else constant_params(graph.tensors[name].value)
            for name in node.inputs
            if graph.tensors[name].is_constant
        }
        for node in graph.nodes
        if node.op not in CHANNEL_AXIS
    }
