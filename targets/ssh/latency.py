"""Times inferences on another computer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

from tinyflow.errors import ToolError
from tinyflow.targets.ssh.device import Device, read_device
from tinyflow.targets.ssh.workshop import Workshop

WARM_UP_MS = 1000
LEAST, MOST = 10, 200
LIMIT_MS = 10_000


@dataclass(frozen=True)
class Latency:
    """What single inferences took in milliseconds, after ``warm_up`` ones that do not count.

    ``device`` was read right after them, so that its clocks are those under load.
    """

    warm_up: int
    times: tuple[float, ...]
    device: Device

    @property
    def median(self) -> float:
        return median(self.times)

    @property
    def p95(self) -> float:
        """The least time that at least 95% of the inferences kept within."""
        return sorted(self.times)[math.ceil(0.95 * len(self.times)) - 1]


def measure_latency(
    workshop: Workshop, records: np.ndarray, warm_up_ms: int = WARM_UP_MS
) -> Latency:
    """Runs ``records``, uint8 [n, bytes], in turn, in a build without taps.

    For `WARM_UP_MS` the clocks get their time to rise; then `LEAST` inferences are timed, and
    more up to `MOST` or `LIMIT_MS`. Raises `ToolError`.
    """
    program = workshop.program("latency")
    workshop.make_folder("latency")
    try:
        workshop.send(records.tobytes(), "latency/inputs.bin")
        counts = [str(n) for n in (warm_up_ms, LEAST, MOST, LIMIT_MS)]
        answer = workshop.connection.run("latency", [program, *counts])
        if answer.code != 0:
            raise workshop.failure(answer, f"timing '{workshop.bundle.name}'")
        device = read_device(workshop.connection)
        with TemporaryDirectory(prefix="tinyflow-latency-") as folder:
            path = Path(folder) / "latency.txt"
            workshop.fetch("latency/latency.txt", path)
            words = path.read_text(errors="replace").split()
    finally:
        workshop.remove_folder("latency")
    if len(words) <= LEAST or not all(word.isdigit() for word in words):
        raise ToolError(f"timing '{workshop.bundle.name}' gave no times")
    warm_up, *times = (int(word) for word in words)
    return Latency(warm_up, tuple(time / 1e6 for time in times), device)
