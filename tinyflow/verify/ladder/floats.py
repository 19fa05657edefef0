"""The rungs below the integers: the source's own runtime, and the float graph before and after
the passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tinyflow.data import Dataset
from tinyflow.data.spec import to_source
from tinyflow.errors import TinyflowError
from tinyflow.ir import Graph, batches, execute
from tinyflow.progress import Progress
from tinyflow.quantize import compare_layers
from tinyflow.quantize.metrics import logit_tensors
from tinyflow.verify.expected import REFERENCE
from tinyflow.verify.ladder.rung import Difference, Outcome, Rung, Unit, not_run
from tinyflow.verify.sources import SourceRuntime

TOLERANCE = 1e-4
"""Single precision adds up in another order in every runtime; relative to a tensor's largest."""

IMPORTED, CANONICAL = "float graph", "float graph after passes"
_BATCH = 4

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class FloatModel:
    """The model that a bundle was made from: in its own runtime, as it was imported, and after
    all passes. ``missing`` says why there is no runtime."""

    runtime: SourceRuntime | None
    imported: Graph
    canonical: Graph
    missing: str | None = None

    @property
    def runtime_name(self) -> str:
        return self.runtime.name if self.runtime else "source runtime"


def float_rungs(
    source: FloatModel, graph: Graph, data: Dataset, progress: Progress
) -> tuple[Rung, ...]:
    """Source runtime, imported graph, graph after passes, and what quantization costs."""
    reals = data.reals(graph)
    given = {name: to_source(source.canonical, name, array) for name, array in reals.items()}
    progress.stage("Comparing the float model in its own runtime with the imported graph")
    return (
        _against_runtime(source, given),
        _after_passes(source, given, reals),
        _quantized(source, graph, reals, progress),
    )


def _against_runtime(source: FloatModel, given: Arrays) -> Rung:
    if source.runtime is None:
        return not_run(IMPORTED, source.runtime_name, source.missing or "")
    names = [n for node in source.imported.nodes for n in node.outputs]
    found = _Distances(source.imported)
    try:
        for batch in batches(given, _BATCH):
            ours = _execute(source.imported, batch)
            theirs = source.runtime.run(_as_taken(source.runtime, source.imported, batch), names)
            found.add(ours, theirs)
    except TinyflowError as error:
        return not_run(IMPORTED, source.runtime_name, error.message)
    inputs = len(next(iter(given.values())))
    return found.rung(IMPORTED, source.runtime.name, inputs, source.runtime.deviation or None)


def _as_taken(runtime: SourceRuntime, graph: Graph, batch: Mapping[str, np.ndarray]) -> Arrays:
    """By the runtime's names, which are in the order of the graph's inputs."""
    return {theirs: batch[ours] for theirs, ours in zip(runtime.inputs, graph.inputs, strict=True)}


def _after_passes(source: FloatModel, given: Arrays, reals: Arrays) -> Rung:
    """Outputs only: passes give inner tensors of the same name other scales."""
    found = _Distances(source.canonical)
    outputs = source.canonical.outputs
    for before, after in zip(batches(given, _BATCH), batches(reals, _BATCH), strict=True):
        ours = _execute(source.canonical, after)
        theirs = _execute(source.imported, before)
        found.add(
            {n: to_source(source.canonical, n, ours[n]) for n in outputs},
            dict(zip(outputs, (theirs[n] for n in source.imported.outputs), strict=True)),
        )
    return found.rung(CANONICAL, IMPORTED, len(next(iter(reals.values()))))


def _quantized(source: FloatModel, graph: Graph, reals: Arrays, progress: Progress) -> Rung:
    errors = compare_layers(source.canonical, graph, reals, progress.count)
    differences = tuple(
        Difference(
            error.layer,
            node.op.value if (node := graph.producer(error.tensor)) else "input",
            error.tensor,
            error.sqnr_db,
        )
        for error in errors
        if np.isfinite(error.sqnr_db)
    )
    by_tensor = {d.tensor: d for d in differences}
    logits = [by_tensor[name] for name in logit_tensors(graph) if name in by_tensor]
    note = None
    if logits:
        worst = min(differences, key=lambda d: d.amount)
        note = (
            f"{min(d.amount for d in logits):.1f} dB at the end, "
            f"least at '{worst.layer}' with {worst.amount:.1f}"
        )
    return Rung(
        REFERENCE,
        CANONICAL,
        Outcome.QUANTIZED,
        Unit.DECIBEL,
        len(next(iter(reals.values()))),
        len(errors),
        differences,
        note,
    )


def _execute(graph: Graph, inputs: Mapping[str, np.ndarray]) -> Arrays:
    tensors: Arrays = {}
    tensors.update(execute(graph, inputs, tensors.__setitem__))
    return tensors


class _Distances:
    """The largest difference and the largest value of every tensor that two sides have alike."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.difference: dict[str, float] = {}
        self.magnitude: dict[str, float] = {}

    def add(self, ours: Mapping[str, np.ndarray], theirs: Mapping[str, np.ndarray]) -> None:
        for name, actual in ours.items():
            expected = theirs.get(name)
            if expected is None or expected.shape != actual.shape:
                continue
            distance = np.abs(actual.astype(np.float64) - expected).max(initial=0.0)
            magnitude = np.abs(expected).max(initial=0.0)
            self.difference[name] = max(self.difference.get(name, 0.0), float(distance))
            self.magnitude[name] = max(self.magnitude.get(name, 0.0), float(magnitude))

    def rung(self, name: str, against: str, inputs: int, explanation: str | None = None) -> Rung:
        relative = {
            n: d / self.magnitude[n] if self.magnitude[n] else d for n, d in self.difference.items()
        }
        differences = tuple(
            Difference(node.name, node.op.value, tensor, amount, explanation=explanation)
            for tensor, amount in relative.items()
            if amount > TOLERANCE and (node := self.graph.producer(tensor)) is not None
        )
        largest = max(relative.values(), default=0.0)
        outcome = Outcome.EQUAL if largest == 0.0 else Outcome.CLOSE
        if differences:
            outcome = Outcome.EXPLAINED if explanation else Outcome.DIFFERS
        return Rung(
            name,
            against,
            outcome,
            Unit.RELATIVE,
            inputs,
            len(relative),
            differences,
            f"at most {largest:.1e} of a tensor's largest value" if largest else None,
        )
