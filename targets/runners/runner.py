"""What every runner does: raw integers in, raw integers and measurements out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import numpy as np

from tinyflow.bundle import Bundle
from tinyflow.targets.runners.batch import BatchResult, run_batch
from tinyflow.targets.runners.records import check_inputs, split_records
from tinyflow.targets.runners.taps import TapReader

Track = Callable[[int, int], None]
"""Called with (inferences done, inferences in all)."""


@dataclass(frozen=True, eq=False)
class RunResult:
    """Arrays [n, ...] of the model's own integers, in the stored layout.

    ``outputs`` by graph output; ``taps`` by tensor, every one that a step computes, in a run
    with taps. ``stack_bytes`` is the depth of the stack from reset to the deepest kernel; None
    where the runner cannot measure it.
    """

    outputs: dict[str, np.ndarray]
    taps: dict[str, np.ndarray] | None = None
    stack_bytes: int | None = None


class Runner(ABC):
    """Builds a bundle's harness and runs it over any number of inputs.

    A runner may hold on to a device while it is entered as a context. One that is not entered
    takes it for each run alone.
    """

    name: str
    """What reports call it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    @abstractmethod
    def execute(
        self,
        bundle: Bundle,
        records: np.ndarray,
        output_bytes: int,
        folder: Path,
        taps: bool,
        sanitize: bool,
        progress: Track,
    ) -> BatchResult:
        """Runs the harness over all records, uint8 [n, bytes], and leaves what it writes in
        subfolders of ``folder``. ``output_bytes`` is what it writes per inference."""

    def run(
        self,
        bundle: Bundle,
        inputs: Mapping[str, np.ndarray],
        taps: bool = False,
        sanitize: bool = False,
        progress: Track | None = None,
    ) -> RunResult:
        """One inference for each entry along the first axis of ``inputs``.

        ``inputs`` are raw integers [n, ...] by graph input, in the stored layout. Raises
        `DataError` where they do not fit, `ToolError` where a tool is missing or the model
        does not run to its end.
        """
        graph = bundle.graph
        records = check_inputs(graph, inputs)
        reader = TapReader(graph, len(records)) if taps else None
        outputs = [graph.tensors[name] for name in graph.outputs]
        with TemporaryDirectory(prefix="tinyflow-run-") as folder:
            done = self.execute(
                bundle,
                records,
                sum(t.nbytes for t in outputs),
                Path(folder),
                taps,
                sanitize,
                progress or (lambda finished, total: None),
            )
            if reader is not None:
                for part in done.parts:
                    reader.read(part.folder / "taps.bin", part.start, part.count)
        stack = done.stats.get("stack_bytes", 0)
        return RunResult(
            outputs=split_records(done.outputs, outputs),
            taps=reader.arrays if reader is not None else None,
            stack_bytes=stack or None,
        )


class ProgramRunner(Runner):
    """Runs the harness by a command on this computer."""

    @abstractmethod
    def prepare(self, bundle: Bundle, taps: bool, sanitize: bool) -> list[str]:
        """Builds what is missing; the command that runs the harness in a folder of its own."""

    def execute(
        self,
        bundle: Bundle,
        records: np.ndarray,
        output_bytes: int,
        folder: Path,
        taps: bool,
        sanitize: bool,
        progress: Track,
    ) -> BatchResult:
        command = self.prepare(bundle, taps, sanitize)
        purpose = f"running '{bundle.name}' on {self.name}"
        return run_batch(command, records, output_bytes, folder, purpose, progress)
