"""Every tensor of every layer of a bundle, compared with what it has to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tinyflow.bundle import Bundle
from tinyflow.data import Dataset
from tinyflow.errors import VerifyError
from tinyflow.ir import Op
from tinyflow.progress import SILENT, Progress
from tinyflow.targets.runners import Runner, get_runner
from tinyflow.verify.batching import tensor_batches
from tinyflow.verify.expected import REFERENCE, expected_by, expected_tensors
from tinyflow.verify.inference import bundle_dataset


@dataclass(frozen=True)
class Mismatch:
    """The first layer whose result differs, and by how much over the inputs of that batch.

    ``input`` is the first input that shows it and ``index`` the place in its tensor (stored
    layout); ``expected`` is the right integer there, ``actual`` the compiled model's.
    ``elements`` differ, by ``largest`` at most. ``build`` is "verify" (with taps), or "release"
    where only the build without taps differs: then no tap can name an earlier layer.
    """

    layer: str
    tensor: str
    input: int
    index: tuple[int, ...]
    expected: int
    actual: int
    elements: int
    largest: int
    build: str = "verify"

    def __str__(self) -> str:
        place = ", ".join(map(str, self.index))
        where = "" if self.build == "verify" else f" in the {self.build} build"
        return (
            f"layer '{self.layer}' differs first{where}: input {self.input}, "
            f"{self.tensor}[{place}] is {self.actual} and should be {self.expected}; "
            f"{self.elements} elements differ, by {self.largest} at most"
        )


@dataclass(frozen=True)
class Verdict:
    """What was compared on a runner, and whether all of it is equal.

    ``reference`` is what it was compared with. ``note`` says what was left out.
    """

    runner: str
    inputs: int
    tensors_compared: int
    first_mismatch: Mismatch | None
    reference: str = REFERENCE
    note: str | None = None

    @property
    def bit_exact(self) -> bool:
        return self.first_mismatch is None

    def to_json(self) -> dict[str, Any]:
        """An entry of report.json's verify list."""
        first = self.first_mismatch
        return {
            "runner": self.runner,
            "inputs": self.inputs,
            "tensors_compared": self.tensors_compared,
            "bit_exact": self.bit_exact,
            "reference": self.reference,
            "note": self.note,
            "first_mismatch": None if first is None else {**asdict(first), "index": [*first.index]},
        }

    def raise_on_mismatch(self) -> None:
        """Raises `VerifyError` where anything differs."""
        if self.first_mismatch is not None:
            raise VerifyError(
                f"{self.runner}: {self.first_mismatch}",
                "this is a bug in TinyFlow or in the compiler that built the bundle",
            )

    def __str__(self) -> str:
        seen = f"{self.tensors_compared} tensors on {self.inputs} inputs"
        return f"{self.runner}: {seen} " + (
            f"equal the {self.reference}"
            if self.bit_exact
            else f"compared, and they DIFFER from the {self.reference}"
        )


def verify_bundle(
    bundle: Bundle,
    runner: str,
    data: str | None = None,
    limit: int | None = None,
    progress: Progress = SILENT,
) -> Verdict:
    """Compares every tensor at its tap, and the outputs of the build with taps and of the one
    without, on ``data`` or on the test vectors.

    ``limit`` takes only the first inputs. A difference is not raised: see `Verdict`.
    """
    dataset = bundle_dataset(bundle, data, limit)
    return verify_dataset(bundle, runner, dataset, progress)


def verify_dataset(
    bundle: Bundle, runner: str, dataset: Dataset, progress: Progress = SILENT
) -> Verdict:
    """As `verify_bundle`, on inputs that are at hand."""
    with get_runner(runner) as engine:
        return _compare(bundle, engine, dataset, progress)


def _compare(bundle: Bundle, engine: Runner, dataset: Dataset, progress: Progress) -> Verdict:
    graph, runner = bundle.graph, engine.name
    codes = dataset.codes(graph)
    layer_of = {node.output: node.name for node in graph.nodes}
    total, done, compared = len(dataset), 0, 0
    reference = expected_by(bundle)
    progress.stage(f"Comparing every tensor on {runner} with the {reference}")
    for batch in tensor_batches(graph, codes):
        expected, tapped = expected_tensors(bundle, batch), _tapped(engine, bundle, batch)
        compared = len(tapped)
        # The compiler optimizes across layers where no tap stands between them.
        released = engine.run(bundle, batch).outputs
        for build, tensors in (("verify", tapped), ("release", released)):
            for name, array in tensors.items():
                if (found := _difference(expected[name], array)) is not None:
                    layer = layer_of.get(name, name)
                    first = Mismatch(layer, name, done + found[0][0], *found[1:], build)
                    return Verdict(runner, done + len(array), compared, first, reference)
        done += len(next(iter(batch.values())))
        progress.count(f"verify on {runner}", done, total)
    return Verdict(runner, done, compared, None, reference)


def _tapped(
    engine: Runner, bundle: Bundle, batch: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The tapped tensors in execution order, then the outputs that have no tap of their own."""
    graph = bundle.graph
    result = engine.run(bundle, batch, taps=True)
    taps = result.taps or {}
    # A reshape moves nothing: its bytes are those of the tensor before it.
    silent = [n for n in graph.nodes if n.output not in taps and n.op is not Op.RESHAPE]
    if silent:
        raise VerifyError(f"the verify build handed out nothing of layer '{silent[0].name}'")
    ordered = {n.output: taps[n.output] for n in graph.nodes if n.output in taps}
    wrong = [n for n in graph.outputs if n in ordered and (ordered[n] != result.outputs[n]).any()]
    if wrong:
        raise VerifyError(f"the output '{wrong[0]}' was overwritten after it had been computed")
    return {**ordered, **{name: result.outputs[name] for name in graph.outputs}}


def _difference(
    expected: np.ndarray, actual: np.ndarray
) -> tuple[tuple[int], tuple[int, ...], int, int, int, int] | None:
    """(input,), index, expected, actual, elements, largest; None where all is equal."""
    if expected.shape != actual.shape:
        raise VerifyError(f"a tensor has the shape {actual.shape}, it should be {expected.shape}")
    differs = expected != actual
    if not differs.any():
        return None
    place = tuple(int(i) for i in np.argwhere(differs)[0])
    distance = np.abs(expected.astype(np.int64) - actual.astype(np.int64))
    return (
        (place[0],),
        place[1:],
        int(expected[place]),
        int(actual[place]),
        int(differs.sum()),
        int(distance.max()),
    )
