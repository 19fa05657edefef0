"""The .tflite file of a quantized graph, and its entry in the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyflow.bundle import TFLITE
from tinyflow.codegen.tflite import TfliteFile, write_tflite
from tinyflow.data import Dataset, load_data, random_dataset
from tinyflow.data.spec import input_specs
from tinyflow.errors import MissingExtraError
from tinyflow.ir import Graph, Rounding
from tinyflow.pipeline.source import Source, data_options
from tinyflow.progress import Progress
from tinyflow.project import RANDOM, CompileOptions
from tinyflow.quantize import run_reference
from tinyflow.verify.lowering import LoweringCosts, lowering_costs

_MOST_SAMPLES = 64
_SAMPLE_BYTES = 32 << 20
"""Of all activations together; a chain holds some of them in float64."""


@dataclass(frozen=True, eq=False)
class TfliteModel:
    """``costs`` are those of lowering; None where nothing was lowered, and where TFLite Micro is
    not at hand or rounds otherwise than the model."""

    file: TfliteFile
    costs: LoweringCosts | None = None

    def to_json(self) -> dict[str, Any]:
        """The report's entry."""
        return {
            "file": TFLITE,
            "bytes": len(self.file.data),
            "operators": [use.name for use in self.file.operators],
            "custom": list(self.file.custom),
            "lowered": len(self.file.lowered_nodes),
            "costs": None if self.costs is None else self.costs.to_json(),
        }


def make_tflite(
    graph: Graph, name: str, data: Dataset | None, builtins: bool, progress: Progress
) -> TfliteModel:
    """Writes the file; with ``builtins`` lowers what only custom operators say bit for bit, by
    the activations that ``data`` lead to. Raises `MissingExtraError` or `UnsupportedError`."""
    progress.stage("Writing the .tflite file")
    if graph.rounding is Rounding.SINGLE:
        progress.note(
            "a .tflite file does not say how products are rounded: only runtimes that were built "
            "with single rounding compute these codes"
        )
    file = write_tflite(graph, name)
    if not builtins or not file.custom:
        return TfliteModel(file)
    samples = reference_samples(graph, data, progress)
    file = write_tflite(graph, name, samples)
    if graph.rounding is Rounding.SINGLE:
        progress.note(
            "what the lowering costs was not measured: the tflite-micro package rounds twice"
        )
        return TfliteModel(file)
    progress.stage("Measuring what the lowering costs in TFLite Micro")
    try:
        return TfliteModel(file, lowering_costs(graph, file, samples))
    except MissingExtraError as error:
        progress.note(f"what the lowering costs was not measured: {error.message}")
        return TfliteModel(file)


def lowering_data(
    source: Source,
    calibration: Dataset | None,
    test: Dataset | None,
    options: CompileOptions,
    progress: Progress,
) -> Dataset | None:
    """What the scales of lowered layers follow from: the calibration data, also where a model that
    is quantized already needs none, or the test data. Raises `DataError`."""
    given = options.calibration
    if calibration is None and options.tflite_builtins and given is not None and given != RANDOM:
        progress.stage("Loading calibration data")
        return load_data(given, source.specs, data_options(options))
    return calibration or test


def reference_samples(
    graph: Graph, data: Dataset | None, progress: Progress
) -> dict[str, np.ndarray]:
    """The codes [n, ...] of every activation for the first inputs."""
    if data is None:
        progress.note("no data were given: the scales of lowered layers follow from random inputs")
        data = random_dataset(graph, input_specs(graph))
    each = sum(t.elements for t in graph.tensors.values() if not t.is_constant)
    inputs = data.head(max(1, min(_MOST_SAMPLES, _SAMPLE_BYTES // each))).codes(graph)
    samples: dict[str, np.ndarray] = dict(inputs)
    run_reference(graph, inputs, samples.__setitem__)
    return samples
