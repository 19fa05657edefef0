"""Picks one range per scale group: the candidate that disturbs the reading layers least."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

import numpy as np

from tinyflow.ir import OPS, Graph, Node, QuantParams, batches, execute
from tinyflow.ir.execute import Arrays
from tinyflow.quantize.calibrate import batch_size
from tinyflow.quantize.metrics import SQUASHING, logit_tensors
from tinyflow.quantize.options import Progress
from tinyflow.quantize.ranges import Range, fake_quantize
from tinyflow.quantize.shared_scales import ScaleGroup
from tinyflow.quantize.simulate import evaluate_float

_PIECE = 1 << 14


def choose_ranges(
    graph: Graph,
    samples: Mapping[str, np.ndarray],
    groups: Sequence[ScaleGroup],
    candidates: Sequence[Sequence[Range]],
    progress: Progress | None = None,
) -> list[Range]:
    """For each group the best of its candidates, the first one where several are equal.

    The error of a candidate: only this group's tensors are rounded; of each layer that reads
    them, and can rescale, the squared change of the output against its power. Graph outputs and
    logits are compared themselves: behind a softmax, clipped logits look better than they are.
    """
    final = {*graph.outputs, *logit_tensors(graph)}
    open_choices = [i for i, ranges in enumerate(candidates) if len(ranges) > 1]
    errors = {i: np.zeros(len(candidates[i])) for i in open_choices}
    size = batch_size(graph)
    total = len(next(iter(samples.values())))
    for number, batch in enumerate(batches(samples, size) if open_choices else ()):
        values: Arrays = {name: t.value for name, t in graph.constants.items()}
        execute(graph, batch, values.__setitem__)
        for i in open_choices:
            for k, candidate in enumerate(candidates[i]):
                errors[i][k] += _error(graph, values, groups[i], final, candidate.params())
        if progress is not None:
            progress("range search", min((number + 1) * size, total), total)
    return [
        ranges[int(np.argmin(errors[i]))] if i in errors else ranges[0]
        for i, ranges in enumerate(candidates)
    ]


def _error(
    graph: Graph,
    values: Mapping[str, np.ndarray],
    group: ScaleGroup,
    final: AbstractSet[str],
    params: QuantParams,
) -> float:
    rounded = {name: fake_quantize(values[name], params) for name in group.members}
    total = 0.0
    for node in _readers(graph, group, final):
        operands = [rounded.get(name, values[name]) for name in node.inputs]
        total += _relative_error(values[node.output], evaluate_float(node, operands))
    for name in group.members:
        if name in final:
            total += _relative_error(values[name], rounded[name])
    return total


def _readers(graph: Graph, group: ScaleGroup, final: AbstractSet[str]) -> list[Node]:
    """The layers that read the group and can rescale, those aside that squash a final tensor."""
    readers = [(name, n) for name in group.members for n in graph.consumers(name)]
    found = {n.name: n for name, n in readers if not (name in final and n.op in SQUASHING)}
    return [node for node in found.values() if not OPS[node.op].same_params]


def _relative_error(expected: np.ndarray, actual: np.ndarray) -> float:
    """The squared difference over the power, both summed in pieces that stay in the cache."""
    x, y = expected.reshape(-1), actual.reshape(-1)
    power = noise = 0.0
    for start in range(0, len(x), _PIECE):
        piece = x[start : start + _PIECE]
        error = y[start : start + _PIECE] - piece
        power += float(piece @ piece)
        noise += float(error @ error)
    return noise / power if power > 0.0 else noise
