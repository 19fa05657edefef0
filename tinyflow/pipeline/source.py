"""The model as it was given: read, simplified, and checked for what cannot be compiled."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tinyflow.data import DataOptions, Dataset, InputSpec, Preprocess, load_data, random_dataset
from tinyflow.data.spec import input_specs
from tinyflow.errors import UnsupportedError, UsageError
from tinyflow.ir import Graph
from tinyflow.passes import run_passes
from tinyflow.pipeline.model_source import import_model
from tinyflow.progress import Progress
from tinyflow.project import RANDOM, CompileOptions
from tinyflow.quantize.given_scales import GivenScales, no_scales, take_given_scales

if TYPE_CHECKING:
    from tinyflow.pipeline.model_source import TorchModel

# A header of one of these names would hide a standard one, or the kernels' own.
_TAKEN = frozenset(
    {"assert", "ctype", "errno", "float", "limits", "main", "math", "profile", "stdarg",
     "stdbool", "stddef", "stdint", "stdio", "stdlib", "string", "time", "platform"}
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Source:
    """A model. ``imported`` is the graph as its importer made it, ``canonical`` the same after all
    passes; both are float, or int8 where the file is. ``pixels`` says how pictures become its
    inputs, where the model itself knows."""

    name: str
    format: str
    sha256: str
    imported: Graph
    canonical: Graph
    pixels: Preprocess | None = None

    @property
    def specs(self) -> tuple[InputSpec, ...]:
        return input_specs(self.canonical)

    @property
    def is_float(self) -> bool:
        """Whether there is a float model to quantize, and to compare with."""
        tensors = self.canonical.tensors.values()
        return all(t.is_constant or t.quant is None for t in tensors)

    @property
    def given_scales(self) -> GivenScales:
        """What a float model brings along of scales: all, some or none."""
        return take_given_scales(self.canonical)


def read_source(
    options: CompileOptions, progress: Progress, model: TorchModel | None = None
) -> Source:
    """Imports the model, runs all passes and looks for obstacles, all of them at once.

    ``model`` is a PyTorch module or program that stands in for the file. Raises `UsageError`,
    `ModelError` or `UnsupportedError`.
    """
    from tinyflow.codegen.c.constraints import find_obstacles

    found = import_model(options, progress, model)
    canonical = found.graph if found.graph.is_quantized else run_passes(found.graph)
    if obstacles := find_obstacles(canonical):
        raise UnsupportedError(obstacles)
    return Source(
        name=options.name or name_from(found.title),
        format=found.format,
        sha256=found.sha256,
        imported=found.graph,
        canonical=canonical,
        pixels=found.pixels,
    )


def with_defaults(source: Source, options: CompileOptions) -> CompileOptions:
    """The options with what the model itself knows about its pictures, unless they say it."""
    pixels = source.pixels
    if pixels is None:
        return options
    if not (options.mean or options.std or options.scale != 1.0):
        options = replace(options, mean=pixels.mean, std=pixels.std, scale=pixels.scale)
        if not options.input_ranges:
            options = replace(
                options, input_ranges=dict.fromkeys(source.imported.inputs, _reach(pixels))
            )
    return options


def _reach(pixels: Preprocess) -> tuple[float, float]:
    """The range of an input that is made of pixels 0 to 255."""
    ends = np.broadcast_to(np.array([[0], [255]], np.uint8), (2, max(len(pixels.mean), 1)))
    real = pixels(ends, channel_axis=1)
    return float(real.min()), float(real.max())


def name_from(title: str) -> str:
    """A C identifier made from what a model is called."""
    name = re.sub(r"\W+", "_", title, flags=re.ASCII).strip("_") or "net"
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
    """The calibration data of a float model; None for one that is quantized already or brings all
    its scales along.

    Raises `UsageError` where a float model comes without any.
    """
    if not source.is_float:
        if options.calibration and not options.tflite_builtins:
            progress.note("the model is quantized already, calibration data are not used")
        return None
    taken = source.given_scales
    if taken.is_complete:
        progress.note("the model brings all scales along, and keeps them")
        return None
    if options.calibration is None:
        raise UsageError(*no_scales(taken))
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
