"""Post-training quantization of a float graph to int8, from calibration to integer constants."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinyflow.errors import DataError
from tinyflow.ir import Graph, check_graph
from tinyflow.quantize.attach import attach_integers
from tinyflow.quantize.bounds import useful_range
from tinyflow.quantize.calibrate import check_samples, observe_histograms, observe_ranges
from tinyflow.quantize.choose_ranges import choose_ranges
from tinyflow.quantize.given_scales import (
    GivenScales,
    no_scales,
    range_of,
    take_given_scales,
)
from tinyflow.quantize.labels import with_labels, without_labels
from tinyflow.quantize.options import Progress, QuantizeOptions, RangeMethod
from tinyflow.quantize.plan import (
    Plan,
    Samples,
    check_weights,
    corrected_plans,
    float_logits,
    with_biases,
)
from tinyflow.quantize.ranges import Range, candidates, union
from tinyflow.quantize.shared_scales import (
    ScaleGroup,
    scale_groups,
    separate_costly_ranges,
    separate_fixed_outputs,
)

# Multiplications of one pass over the search samples: a large network looks at fewer of them.
_SEARCH_MACS = 8_000_000_000
_FEWEST_SAMPLES = 32


@dataclass(frozen=True, eq=False)
class Quantized:
    """A quantized graph and what was decided on the way.

    ``observed`` and ``used`` are the ranges by tensor name; ``method`` is how the latter were
    picked: AUTO is per tensor. ``bias_corrected`` tells whether the correction was kept.
    ``logit_sqnr_db`` is measured on the held-out calibration samples; it is
    NaN where there were too few samples to hold any out.
    """

    graph: Graph
    observed: Mapping[str, Range]
    used: Mapping[str, Range]
    method: RangeMethod
    bias_corrected: bool
    logit_sqnr_db: float


def quantize_model(
    graph: Graph,
    calibration: Samples | None,
    options: QuantizeOptions | None = None,
    progress: Progress | None = None,
) -> Graph:
    """The float graph in int8, every multiplier and table attached.

    ``calibration`` holds, per graph input, float samples [n, ...] in the graph's stored layout. A
    model that brings its scales along keeps them, and needs no samples where that are all.
    Raises `DataError` where the samples do not fit the model, or are needed and missing.
    """
    return quantize_and_record(graph, calibration, options, progress).graph


def quantize_and_record(
    graph: Graph,
    calibration: Samples | None,
    options: QuantizeOptions | None = None,
    progress: Progress | None = None,
) -> Quantized:
    """As `quantize_model`, with the decisions taken."""
    network, labels = without_labels(graph)
    found = _quantized_network(network, calibration, options or QuantizeOptions(), progress)
    return replace(found, graph=with_labels(found.graph, labels, graph))


def _quantized_network(
    graph: Graph,
    calibration: Samples | None,
    options: QuantizeOptions,
    progress: Progress | None,
) -> Quantized:
    samples = check_samples(graph, calibration) if calibration is not None else None
    check_weights(graph)
    taken = take_given_scales(with_biases(graph))
    if taken.params:
        _check_stated(taken, options)
        if taken.is_complete:
            return _as_given(taken, options)
    if samples is None:
        raise DataError(*no_scales(taken))
    graph = taken.graph
    search, fit, held = _split(graph, samples, options)

    if not taken.params:
        graph = separate_fixed_outputs(graph)
    observed = observe_ranges(graph, samples, progress)
    known = _known_ranges(graph, observed, options)
    observed = {**observed, **known}
    if taken.params:
        # What the model's biases were trained with stays.
        fit = {}
    else:
        graph, observed = separate_costly_ranges(graph, observed, options.shared_range_db)
    groups = scale_groups(graph, taken.params)
    choices = _candidates(graph, samples, groups, observed, known, options, progress)
    alternatives = _alternatives(graph, search, groups, choices, options, progress)
    best = _best_plan(graph, groups, alternatives, fit, held, options, progress)

    result = best.plan.quantized_graph()
    check_graph(result, "quantization")
    return Quantized(
        graph=attach_integers(result, options.rounding),
        observed=observed,
        used={n: r for g, r in zip(groups, best.ranges, strict=True) for n in g.members},
        method=best.method,
        bias_corrected=best.corrected,
        logit_sqnr_db=best.sqnr_db,
    )


def _as_given(taken: GivenScales, options: QuantizeOptions) -> Quantized:
    """All scales are the model's own: there is nothing to choose."""
    graph = taken.graph
    params = {
        name: group.fixed
        for group in scale_groups(graph, taken.params)
        for name in group.members
        if group.fixed is not None
    }
    result = Plan.of(graph, params).quantized_graph()
    check_graph(result, "quantization")
    return Quantized(
        graph=attach_integers(result, options.rounding),
        observed={},
        used={name: range_of(own) for name, own in params.items()},
        method=options.ranges,
        bias_corrected=False,
        logit_sqnr_db=math.nan,
    )


def _check_stated(taken: GivenScales, options: QuantizeOptions) -> None:
    for name in options.input_ranges:
        if name in taken.params:
            raise DataError(
                f"a range is given for the input '{name}', but the model brings its own scale",
                "leave the range out, or give the float model",
            )


def _split(
    graph: Graph, samples: Samples, options: QuantizeOptions
) -> tuple[Samples, Samples, Samples]:
    """A bounded random choice of the samples: all of it, the part to fit on, the held-out part.

    The last two are empty where there are too few samples.
    """
    total = len(next(iter(samples.values())))
    macs = sum(graph.macs(node) for node in graph.nodes)
    affordable = max(_FEWEST_SAMPLES, _SEARCH_MACS // max(macs, 1))
    count = min(options.search_samples, affordable)
    order = np.random.default_rng(options.seed).permutation(total)[:count]
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


def _candidates(
    graph: Graph,
    samples: Samples,
    groups: Sequence[ScaleGroup],
    observed: Mapping[str, Range],
    known: Mapping[str, Range],
    options: QuantizeOptions,
    progress: Progress | None,
) -> list[dict[RangeMethod, tuple[Range, ...]]]:
    """Per group, the ranges that each method suggests; that of a fixed group is what was seen."""
    spans = []
    for group in groups:
        seen = union(observed[name] for name in group.members)
        spans.append(seen.clipped(useful_range(graph, group.members)).with_zero())
    counts = observe_histograms(
        graph,
        samples,
        {n: s for g, s in zip(groups, spans, strict=True) if not g.fixed for n in g.members},
        progress,
    )
    choices: list[dict[RangeMethod, tuple[Range, ...]]] = []
    for group, span in zip(groups, spans, strict=True):
        if group.fixed is not None:
            choices.append(dict.fromkeys(RangeMethod, (span,)))
            continue
        histogram = np.sum([counts[name] for name in group.members], axis=0)
        needed = [known[name] for name in group.members if name in known]
        by_method = candidates(histogram, span, options.percentile)
        choices.append(
            {
                method: tuple(dict.fromkeys(union([r, *needed]) for r in ranges))
                for method, ranges in by_method.items()
            }
        )
    return choices


def _alternatives(
    graph: Graph,
    search: Samples,
    groups: Sequence[ScaleGroup],
    choices: Sequence[Mapping[RangeMethod, tuple[Range, ...]]],
    options: QuantizeOptions,
    progress: Progress | None,
) -> dict[RangeMethod, tuple[Range, ...]]:
    """Assignments of a range to each group: one, or for AUTO the per-tensor choice and the
    methods that serve all tensors alike."""

    def uniform(method: RangeMethod) -> tuple[Range, ...]:
        return tuple(choice[method][0] for choice in choices)

    if options.ranges is not RangeMethod.AUTO:
        return {options.ranges: uniform(options.ranges)}
    several = [choice[RangeMethod.AUTO] for choice in choices]
    chosen = tuple(choose_ranges(graph, search, groups, several, progress))
    others = (RangeMethod.MSE, RangeMethod.MINMAX)
    return {RangeMethod.AUTO: chosen, **{method: uniform(method) for method in others}}


@dataclass(frozen=True, eq=False)
class _Judged:
    """A plan and how well it does on the held-out samples."""

    plan: Plan
    method: RangeMethod
    ranges: tuple[Range, ...]
    corrected: bool
    sqnr_db: float


def _best_plan(
    graph: Graph,
    groups: Sequence[ScaleGroup],
    alternatives: Mapping[RangeMethod, tuple[Range, ...]],
    fit: Samples,
    held: Samples,
    options: QuantizeOptions,
    progress: Progress | None,
) -> _Judged:
    """The plan, with or without bias correction, whose logits are nearest to the float ones on
    the held-out samples; without these, the first one as it is."""
    plans = []
    for ranges in alternatives.values():
        params = {
            name: group.fixed or chosen.params()
            for group, chosen in zip(groups, ranges, strict=True)
            for name in group.members
        }
        plans.append(Plan.of(graph, params))
    fitted = corrected_plans(plans, fit) if options.bias_correction and fit else []
    logits = float_logits(graph, held)
    judged: list[_Judged] = []
    for number, (method, ranges) in enumerate(alternatives.items()):
        for corrected, found in ((False, plans), (True, fitted)):
            if found:
                plan = found[number]
                sqnr = plan.logit_sqnr(held, logits)
                judged.append(_Judged(plan, method, ranges, corrected, sqnr))
        if progress is not None:
            progress("trial", number + 1, len(alternatives))
    # max keeps the first of equals, and a NaN that comes first.
    return max(judged, key=lambda entry: entry.sqnr_db)
