"""The model as it was given: read, simplified, and checked for what cannot be compiled."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from tinyflow.data import DataOptions, Dataset, InputSpec, Preprocess, load_data, random_dataset
from tinyflow.data.spec import input_specs
from tinyflow.errors import UnsupportedError, UsageError
from tinyflow.importers import load_model
from tinyflow.ir import Graph
from tinyflow.passes import run_passes
from tinyflow.progress import Progress
from tinyflow.project import RANDOM, CompileOptions

# A header of one of these names would hide a standard one, or the kernels' own.
_TAKEN = frozenset(
    {"assert", "ctype", "errno", "float", "limits", "main", "math", "profile", "stdarg",
     "stdbool", "stddef", "stdint", "stdio", "stdlib", "string", "time", "platform"}
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Source:
    """A model file. ``imported`` is the graph as its importer made it, ``canonical`` the same
    after all passes; both are float, or int8 where the file is."""

    name: str
    format: str
    sha256: str
    imported: Graph
    canonical: Graph

    @property
    def specs(self) -> tuple[InputSpec, ...]:
        return input_specs(self.canonical)

    @property
    def is_float(self) -> bool:
        """Whether there is a float model to quantize, and to compare with."""
        return all(t.quant is None for t in self.canonical.tensors.values())


def read_source(options: CompileOptions, progress: Progress) -> Source:
    """Imports the model, runs all passes and looks for obstacles, all of them at once.

    Raises `UsageError`, `ModelError` or `UnsupportedError`.
    """
    from tinyflow.codegen.c.constraints import find_obstacles

    path = Path(options.model)
    progress.stage(f"Reading {path.name}")
    imported = load_model(path, dict(options.shapes) or None)
    canonical = imported if imported.is_quantized else run_passes(imported)
    if obstacles := find_obstacles(canonical):
        raise UnsupportedError(obstacles)
    return Source(
        name=options.name or name_from(path),
        format=path.suffix[1:].lower(),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        imported=imported,
        canonical=canonical,
    )


def name_from(path: Path) -> str:
    """A C identifier made from a file's name."""
    name = re.sub(r"\W+", "_", path.stem, flags=re.ASCII).strip("_") or "net"
    return f"model_{name}" if not name[0].isalpha() or is_taken(name) else name


def is_taken(name: str) -> bool:
    """Whether files or functions of a bundle have this name already."""
    return name.lower() in _TAKEN or name.lower().startswith("tinyflow")


def check_name(options: CompileOptions) -> None:
    """Raises `UsageError` for a name that a bundle cannot have."""
    if options.name and is_taken(options.name):
        raise UsageError(f"the name '{options.name}' is taken in C", "choose another --name")


def data_options(options: CompileOptions) -> DataOptions:
    preprocess = Preprocess(options.mean, options.std, options.scale)
    return DataOptions(preprocess, options.x_scale, options.x_zero_point)


def load_calibration(source: Source, options: CompileOptions, progress: Progress) -> Dataset | None:
    """The calibration data of a float model; None for one that is quantized already.

    Raises `UsageError` where a float model comes without any.
    """
    if not source.is_float:
        if options.calibration:
            progress.note("the model is quantized already, calibration data are not used")
        return None
    if options.calibration is None:
        raise UsageError(
            "a float model needs calibration data to become int8, and none were given",
            "--calibration DATA with typical inputs; '--calibration random' only to measure "
            "size and speed",
        )
    if options.calibration == RANDOM:
        progress.note("calibrating on random numbers: accuracy will mean nothing")
        return random_dataset(source.canonical, source.specs, options.input_ranges)
    progress.stage("Loading calibration data")
    return load_data(options.calibration, source.specs, data_options(options))


def load_test_data(source: Source, options: CompileOptions, progress: Progress) -> Dataset | None:
    if options.test_data is None:
        return None
    progress.stage("Loading test data")
    return load_data(options.test_data, source.specs, data_options(options))
