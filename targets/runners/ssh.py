"""On another computer, compiled there, over the user's own OpenSSH."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import numpy as np

from tinyflow.bundle import Bundle
from tinyflow.errors import ToolError, UsageError
from tinyflow.targets.runners.batch import (
    STALL_SECONDS,
    BatchResult,
    Part,
    read_outputs,
    read_stats,
)
from tinyflow.targets.runners.records import check_inputs
from tinyflow.targets.runners.runner import Runner, Track
from tinyflow.targets.ssh import Connection, Latency, Workshop, measure_latency, parse_address
from tinyflow.targets.ssh.connection import FOLDER
from tinyflow.targets.ssh.workshop import watch
from tinyflow.targets.tools import tail

POLL_SECONDS = 2.0
_RUN = "run"


class SshRunner(Runner):
    """Everything that it makes there lies in one folder, which is gone when it is left."""

    name = "ssh"

    def __init__(self, place: str) -> None:
        """``place`` is what follows ``ssh:``. Raises `UsageError`."""
        self._address = parse_address(place)
        self._connection: Connection | None = None
        self._workshops: dict[Path, Workshop] = {}

    def __enter__(self) -> Self:
        connection = Connection(self._address, os.environ.get(FOLDER, ""))
        self._connection = connection.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        connection, self._connection = self._connection, None
        self._workshops.clear()
        if connection is not None:
            connection.__exit__(*error)

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
        if sanitize:
            raise UsageError("runs over ssh have no sanitizers", "run with sanitizers on host")
        with self._entered():
            workshop = self._workshop(bundle)
            program = workshop.program("harness", taps)
            part = Part(folder / "part0", 0, len(records))
            part.folder.mkdir()
            tapped = sum(t.nbytes for t in bundle.graph.tensors.values()) if taps else 0
            needed = records.nbytes + len(records) * (output_bytes + 2 * tapped)
            workshop.need_room(needed, f"running {len(records)} inputs")
            workshop.make_folder(_RUN)
            try:
                workshop.send(records.tobytes(), f"{_RUN}/inputs.bin")
                self._run(workshop, program, part, output_bytes, progress)
                for file in ("outputs.bin", "stats.txt", *(["taps.bin"] if taps else [])):
                    workshop.fetch(f"{_RUN}/{file}", part.folder / file)
            finally:
                workshop.remove_folder(_RUN)
        purpose = f"running '{bundle.name}' on {self._address}"
        outputs = read_outputs(part, output_bytes, purpose)
        return BatchResult(outputs, (part,), read_stats(part.folder / "stats.txt"))

    def time(self, bundle: Bundle, inputs: Mapping[str, np.ndarray]) -> Latency:
        """What an inference takes; ``inputs`` are as for `run`, and are taken in turn."""
        records = check_inputs(bundle.graph, inputs)
        with self._entered():
            return measure_latency(self._workshop(bundle), records)

    def _run(
        self, workshop: Workshop, program: str, part: Part, output_bytes: int, progress: Track
    ) -> None:
        connection = workshop.connection
        console = part.folder / "console.txt"
        files = [f"{_RUN}/outputs.bin", f"{_RUN}/taps.bin"]
        seen, changed = -1, time.monotonic()

        def look() -> None:
            nonlocal seen, changed
            size = workshop.sizes(files)
            now = time.monotonic()
            if size != seen:
                seen, changed = size, now
            elif now - changed > STALL_SECONDS:
                raise ToolError(
                    f"running '{workshop.bundle.name}' on {self._address} was stopped: nothing "
                    f"came for {STALL_SECONDS:g} seconds"
                )
            done = workshop.sizes(files[:1]) // output_bytes
            progress(min(done, part.count), part.count)

        with console.open("wb") as printed:
            process = connection.begin(_RUN, [program], printed)
            watch(process, POLL_SECONDS, look)
        text = console.read_text(errors="replace")
        answer = connection.finish(process, b"", text)
        if answer.code != 0:
            raise workshop.failure(answer, f"running '{workshop.bundle.name}'", tail(text))
        progress(part.count, part.count)

    def _workshop(self, bundle: Bundle) -> Workshop:
        assert self._connection is not None
        path = bundle.path.resolve()
        if path not in self._workshops:
            self._workshops.clear()
            self._workshops[path] = Workshop(self._connection, bundle)
        return self._workshops[path]

    def _entered(self) -> ExitStack:
        """Takes the connection for one run where this runner was not entered."""
        stack = ExitStack()
        if self._connection is None:
            stack.enter_context(self)
        return stack
