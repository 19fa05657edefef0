"""What a backend is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinyflow import __version__
from tinyflow.bundle import Bundle
from tinyflow.codegen.c import LayerInfo
from tinyflow.codegen.schedule import Schedule
from tinyflow.data import Dataset
from tinyflow.ir import Graph
from tinyflow.pipeline.firmware import Firmware
from tinyflow.pipeline.source import Source
from tinyflow.progress import Progress
from tinyflow.project import CompileOptions
from tinyflow.targets import Target


@dataclass(frozen=True, eq=False)
class Job:
    """A quantized graph and what it is to be compiled for.

    ``calibration`` and ``test`` are the data at hand, if there are any.
    """

    source: Source
    graph: Graph
    target: Target
    options: CompileOptions
    calibration: Dataset | None
    test: Dataset | None
    progress: Progress

    @property
    def banner(self) -> tuple[str, ...]:
        """The first comment of each generated file."""
        options = self.options
        backend = "" if options.backend in (None, "c") else f"--backend {options.backend} "
        backend += "--tflite-builtins " if options.tflite_builtins else ""
        return (
            f"Made by TinyFlow {__version__} from {self.source.name} ({self.source.format}).",
            f"Model SHA-256: {self.source.sha256}",
            f"Options: --target {options.target} {backend}--optimize {options.optimize} "
            f"--ranges {options.ranges} --rounding {options.rounding}",
        )


@dataclass(frozen=True, eq=False)
class Product:
    """What a backend made of a job.

    ``graph`` has its nodes in the order in which they run. ``files`` are contents by path in the
    bundle; ``manifest`` and ``report`` are further entries of manifest.json and report.json. Bytes
    that a backend does not know are None, as are a schedule and layers that it does not have.
    """

    graph: Graph
    files: Mapping[str, bytes]
    arena_bytes: int | None
    weight_bytes: int
    table_bytes: int
    arena_lower_bound_bytes: int | None = None
    schedule: Schedule | None = None
    layers: tuple[LayerInfo, ...] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)
    report: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Trial:
    """A bundle that lies in its folder, and the inputs for which it is tried: ``vectors`` by
    graph input, in codes, and the labelled test data, if there are any."""

    bundle: Bundle
    product: Product
    vectors: Mapping[str, np.ndarray]
    test: Dataset | None


@dataclass(frozen=True)
class Backend:
    """``make`` turns a job into files. ``run`` builds and runs them as far as the options and the
    tools at hand allow; it raises `VerifyError` where what runs is not what the integer reference
    computes."""

    make: Callable[[Job], Product]
    run: Callable[[Job, Trial], Firmware]
