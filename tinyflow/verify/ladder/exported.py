"""The exported .tflite file in other people's runtimes, against the integer reference."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tinyflow.codegen.tflite import TfliteFile, write_tflite
from tinyflow.data import Dataset
from tinyflow.errors import TinyflowError
from tinyflow.ir import Graph
from tinyflow.progress import Progress
from tinyflow.quantize import run_reference
from tinyflow.verify.batching import tensor_batches
from tinyflow.verify.engines import Engine
from tinyflow.verify.expected import REFERENCE
from tinyflow.verify.ladder.cut import CutGraph, cut_graph
from tinyflow.verify.ladder.rung import Difference, Outcome, Rung, not_run


def exported_rung(engine: Engine, graph: Graph, data: Dataset, progress: Progress) -> Rung:
    """Every tensor of the exported file in a runtime.

    Custom operators are left out: what they compute is an input there, with the reference's
    values. Behind a layer that the runtime is known to compute otherwise, the reference's values
    go on, so that what follows is held to the last bit again.
    """
    try:
        name = engine.name
    except TinyflowError as error:
        return not_run(engine.title, REFERENCE, error.render().removeprefix("error: "))
    custom = write_tflite(graph).custom_nodes
    after = [n.name for n in graph.nodes if n.op in engine.deviations and n.name not in custom]
    cut = cut_graph(graph, custom, after)
    if not cut.graph.nodes:
        return not_run(name, REFERENCE, "every layer is a custom operator")
    progress.stage(f"Comparing every tensor in {name} with the integer reference")
    file = write_tflite(cut.graph)
    found = _compare(engine, graph, cut, file, data, progress)
    differences = tuple(_differences(engine, graph, found))
    return Rung(
        name,
        REFERENCE,
        _outcome(differences),
        inputs=len(data),
        tensors=len(cut.results),
        differences=differences,
        note=_note(custom, after),
    )


def _note(custom: tuple[str, ...], after: list[str]) -> str | None:
    notes = []
    if custom:
        notes.append(f"custom operators, which it does not have: {len(custom)}")
    if after:
        notes.append(f"layers that it may round otherwise, held alone: {len(after)}")
    return "; ".join(notes) or None


class _Count:
    """Differing elements of one tensor over all inputs."""

    def __init__(self) -> None:
        self.elements = self.total = self.largest = 0

    def add(self, expected: np.ndarray, actual: np.ndarray) -> None:
        distance = np.abs(expected.astype(np.int64) - actual.astype(np.int64))
        self.elements += int(np.count_nonzero(distance))
        self.total += distance.size
        self.largest = max(self.largest, int(distance.max(initial=0)))


def _compare(
    engine: Engine,
    graph: Graph,
    cut: CutGraph,
    file: TfliteFile,
    data: Dataset,
    progress: Progress,
) -> Mapping[str, _Count]:
    """By the tensor's name in ``graph``, in execution order."""
    counts = {original: _Count() for original in cut.results.values()}
    done = 0
    for batch in tensor_batches(graph, data.codes(graph)):
        expected: dict[str, np.ndarray] = dict(batch)
        run_reference(graph, batch, observe=expected.__setitem__)
        inputs = {name: expected[name] for name in cut.graph.inputs}
        actual = engine.run(file, cut.graph, inputs, list(cut.results))
        for name, original in cut.results.items():
            counts[original].add(expected[original], actual[name].reshape(expected[original].shape))
        done += len(next(iter(batch.values())))
        progress.count(engine.title, done, len(data))
    return counts


def _differences(engine: Engine, graph: Graph, found: Mapping[str, _Count]) -> list[Difference]:
    differences = []
    for tensor, count in found.items():
        if not count.elements:
            continue
        node = graph.producer(tensor)
        assert node is not None
        known = engine.deviations.get(node.op)
        explained = known is not None and count.largest <= known.codes
        differences.append(
            Difference(
                node.name,
                node.op.value,
                tensor,
                count.largest,
                count.elements,
                count.total,
                known.why if known is not None and explained else None,
            )
        )
    return differences


def _outcome(differences: tuple[Difference, ...]) -> Outcome:
    if not differences:
        return Outcome.EQUAL
    if all(difference.explanation for difference in differences):
        return Outcome.EXPLAINED
    return Outcome.DIFFERS
