"""Accuracy on test data at each stage of a compilation, and how sure the figures are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyflow.data import Dataset
from tinyflow.data.spec import to_source
from tinyflow.errors import DataError
from tinyflow.ir import Graph, execute_batched
from tinyflow.quantize import run_reference_batched
from tinyflow.quantize.metrics import Proportion, agreement, top1, top5

_Z95 = 1.959963984540054
_TOP5_CLASSES = 6
"""Top-5 says nothing where there are five classes or fewer."""


@dataclass(frozen=True, eq=False)
class Stage:
    """The first output's values [n, classes] after one stage of the flow."""

    name: str
    scores: np.ndarray


@dataclass(frozen=True, eq=False)
class Stages:
    """All stages that could be measured, in order. ``original`` is the float model after all
    passes, None for a source that is quantized; ``compiled`` is what ``runner`` computed.
    ``classifier``: the scores are one vector with an entry a class."""

    waterfall: tuple[Stage, ...]
    original: Stage | None
    compiled: Stage
    runner: str
    classifier: bool


def is_classifier(graph: Graph) -> bool:
    """Whether the first output is a vector of two scores or more."""
    shape = graph.tensors[graph.outputs[0]].shape
    return shape[-1] > 1 and math.prod(shape) == shape[-1]


def flat(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1)


def float_scores(graph: Graph, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """The first output of a float graph; ``inputs`` are in its stored layout."""
    return flat(execute_batched(graph, inputs)[graph.outputs[0]])


def imported_scores(imported: Graph, canonical: Graph, data: Dataset) -> np.ndarray:
    """The first output of the graph before the passes, which takes the source layout."""
    reals = data.reals(canonical)
    return float_scores(imported, {n: to_source(canonical, n, a) for n, a in reals.items()})


def reference_outputs(graph: Graph, codes: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return run_reference_batched(graph, codes)


def integer_scores(graph: Graph, outputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """The first output's integers as real values."""
    name = graph.outputs[0]
    return flat(graph.tensors[name].params.dequantize(outputs[name]))


def measure(stages: Stages, labels: np.ndarray | None, logit_sqnr: float | None) -> dict[str, Any]:
    """The accuracy entry of report.json; percentages are 0 to 100.

    Raises `DataError` where the labels do not fit the model's classes.
    """
    classes = stages.compiled.scores.shape[1]
    known = labels if stages.classifier else None
    if known is not None and not 0 <= known.min() <= known.max() < classes:
        raise DataError(
            f"the labels reach from {known.min()} to {known.max()}, "
            f"the model has {classes} outputs",
            "y counts classes from 0",
        )
    original = stages.original
    drop = drop_with_interval(original, stages.compiled, known)
    return {
        "metric": None if known is None else "top1",
        "samples": len(stages.compiled.scores),
        "runner": stages.runner,
        "float": _score(original, known),
        "compiled": _score(stages.compiled, known),
        "drop_pp": drop[0] if drop else None,
        "drop_ci95_pp": list(drop[1]) if drop else None,
        "agreement": None
        if original is None or not stages.classifier
        else agreement(original.scores, stages.compiled.scores).percent,
        "logit_sqnr_db": logit_sqnr,
        "waterfall": [] if known is None else [_step(s, known) for s in stages.waterfall],
    }


def _score(stage: Stage | None, labels: np.ndarray | None) -> dict[str, Any]:
    if stage is None or labels is None:
        return {"top1": None, "top5": None, "value": None, "ci95": None}
    best = top1(stage.scores, labels)
    five = stage.scores.shape[1] >= _TOP5_CLASSES
    return {
        "top1": best.percent,
        "top5": top5(stage.scores, labels).percent if five else None,
        "value": best.percent,
        "ci95": list(best.ci95),
    }


def _step(stage: Stage, labels: np.ndarray) -> dict[str, Any]:
    found: Proportion = top1(stage.scores, labels)
    return {
        "stage": stage.name,
        "value": found.percent,
        "samples": found.total,
        "ci95": list(found.ci95),
    }


def drop_with_interval(
    original: Stage | None, compiled: Stage, labels: np.ndarray | None
) -> tuple[float, tuple[float, float]] | None:
    """How much top-1 falls, in percentage points, and the 95% confidence interval.

    Both models see the same inputs, so the interval is that of the paired difference.
    """
    if original is None or labels is None:
        return None
    before = original.scores.argmax(axis=1) == labels
    after = compiled.scores.argmax(axis=1) == labels
    difference = before.astype(np.float64) - after.astype(np.float64)
    mean = 100.0 * float(difference.mean())
    if len(difference) < 2:
        return mean, (mean, mean)
    half = 100.0 * _Z95 * float(difference.std(ddof=1)) / math.sqrt(len(difference))
    return mean, (mean - half, mean + half)
