"""Runs the harness over a batch of records, in several processes where that is worth it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyflow.errors import ToolError
from tinyflow.targets.tools import tail

LEAST_PER_PROCESS = 16
POLL_SECONDS = 0.02
STALL_SECONDS = 300.0
"""A harness that writes nothing for so long is taken for hung."""


@dataclass(frozen=True)
class Part:
    """The inferences ``start`` to ``start + count`` of a batch and the folder they ran in."""

    folder: Path
    start: int
    count: int


@dataclass(frozen=True, eq=False)
class BatchResult:
    """``outputs`` is uint8 [n, bytes]; ``stats`` are those of the first part."""

    outputs: np.ndarray
    parts: tuple[Part, ...]
    stats: dict[str, int]


def run_batch(
    command: Sequence[str],
    records: np.ndarray,
    output_bytes: int,
    folder: Path,
    purpose: str,
    progress: Callable[[int, int], None],
    stall_seconds: float = STALL_SECONDS,
) -> BatchResult:
    """Runs ``command`` in subfolders of ``folder`` over all records, uint8 [n, bytes].

    ``output_bytes`` is what the harness writes per inference. Raises `ToolError` with what the
    program printed where it fails, hangs, or writes less than it should.
    """
    parts = _split(len(records), folder)
    for part in parts:
        part.folder.mkdir()
        records[part.start : part.start + part.count].tofile(part.folder / "inputs.bin")
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for part in parts:
            with (part.folder / "console.txt").open("wb") as console:
                processes.append(
                    subprocess.Popen(
                        command,
                        cwd=part.folder,
                        stdin=subprocess.DEVNULL,
                        stdout=console,
                        stderr=subprocess.STDOUT,
                    )
                )
        _watch(processes, parts, output_bytes, len(records), purpose, progress, stall_seconds)
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
            process.wait()
    outputs = np.concatenate([read_outputs(part, output_bytes, purpose) for part in parts])
    return BatchResult(outputs, parts, read_stats(parts[0].folder / "stats.txt"))


def _split(total: int, folder: Path) -> tuple[Part, ...]:
    count = max(1, min(os.cpu_count() or 1, total // LEAST_PER_PROCESS))
    bounds = [total * i // count for i in range(count + 1)]
    return tuple(
        Part(folder / f"part{i}", bounds[i], bounds[i + 1] - bounds[i]) for i in range(count)
    )


def _watch(
    processes: Sequence[subprocess.Popen[bytes]],
    parts: Sequence[Part],
    output_bytes: int,
    total: int,
    purpose: str,
    progress: Callable[[int, int], None],
    stall_seconds: float,
) -> None:
    written, last_change = -1, time.monotonic()
    while True:
        codes = [process.poll() for process in processes]
        for part, code in zip(parts, codes, strict=True):
            if code:
                raise ToolError(f"{purpose} failed with {_describe(code)}{_console(part)}")
        finished = sum(_size(part.folder / "outputs.bin") for part in parts)
        progress(min(finished // output_bytes, total), total)
        if all(code == 0 for code in codes):
            return
        size = finished + sum(_size(part.folder / "taps.bin") for part in parts)
        now = time.monotonic()
        if size != written:
            written, last_change = size, now
        elif now - last_change > stall_seconds:
            raise ToolError(
                f"{purpose} was stopped: nothing came for {stall_seconds:g} seconds"
                f"{_console(parts[0])}"
            )
        time.sleep(POLL_SECONDS)


def _describe(code: int) -> str:
    return f"exit code {code}" if code > 0 else f"signal {-code}"


def _console(part: Part) -> str:
    text = tail((part.folder / "console.txt").read_text(errors="replace"))
    return f"\n{text}" if text else ""


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def read_outputs(part: Part, output_bytes: int, purpose: str) -> np.ndarray:
    """uint8 [n, bytes]. Raises `ToolError` where the harness wrote less or more."""
    data = np.fromfile(part.folder / "outputs.bin", dtype=np.uint8)
    if len(data) != part.count * output_bytes:
        raise ToolError(
            f"{purpose} wrote {len(data)} bytes, {part.count} inferences make "
            f"{part.count * output_bytes}{_console(part)}"
        )
    return data.reshape(part.count, output_bytes)


def read_stats(path: Path) -> dict[str, int]:
    """The numbers of stats.txt by name."""
    pairs = (line.split() for line in path.read_text().splitlines())
    return {name: int(value) for name, value in pairs}
