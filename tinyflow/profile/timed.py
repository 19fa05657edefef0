"""What an inference takes on another computer, by its clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyflow.bundle import Bundle
from tinyflow.progress import SILENT, Progress
from tinyflow.targets.runners import SshRunner
from tinyflow.targets.ssh import Device, Latency
from tinyflow.verify.inference import test_vectors

PREFIX = "ssh:"


@dataclass(frozen=True)
class Timed:
    """A measurement; ``inputs`` different inputs were taken in turn."""

    runner: str
    inputs: int
    latency: Latency

    @property
    def conditions(self) -> str:
        """How it was measured, and where."""
        found = self.latency
        return (
            f"median of {len(found.times):,} inferences after {found.warm_up:,} to warm up, "
            f"95% within {found.p95:.4g} ms; {describe_device(found.device)}"
        )

    def latency_json(self) -> dict[str, Any]:
        """An entry of report.json's latency list; it was not modelled, so there are no counts."""
        found = self.latency
        return {
            "runner": self.runner,
            "inputs": self.inputs,
            "instructions": None,
            "cycles": None,
            "cycles_flash": None,
            "cycles_most": None,
            "clock_hz": found.device.cpu_clock_hz,
            "ms": round(found.median, 6),
            "p95_ms": round(found.p95, 6),
            "least_ms": round(min(found.times), 6),
            "warm_up": found.warm_up,
            "inferences": len(found.times),
            "device": found.device.to_json(),
            "estimated": False,
            "calibrated": True,
            "calibration": self.conditions,
        }

    def to_json(self) -> dict[str, Any]:
        return {"latency": self.latency_json()}


def describe_device(device: Device) -> str:
    """One line with what the computer tells of itself."""
    cores = f"{device.cores} cores" if device.cores else ""
    mode = f"power mode {device.power_mode}" if device.power_mode else ""
    clocks = [
        _clock("CPU", device.cpu_clock_hz, device.cpu_most_hz, device.governor),
        _clock("GPU", device.gpu_clock_hz, device.gpu_most_hz, None),
    ]
    machine = "" if device.title == device.machine else device.machine
    parts = [device.title, machine, cores, device.system, mode, *clocks]
    return ", ".join(part for part in parts if part)


def _clock(what: str, now: int | None, most: int | None, governor: str | None) -> str:
    if now is None:
        return ""
    limit = f" of {most / 1e6:g}" if most is not None else ""
    return f"{what} at {now / 1e6:g}{limit} MHz" + (f" ({governor})" if governor else "")


def time_bundle(
    bundle: Bundle,
    runner: str,
    inputs: Mapping[str, np.ndarray] | None = None,
    progress: Progress = SILENT,
) -> Timed:
    """Times ``inputs``, raw integers [n, ...] in the stored layout; by default one test vector.

    ``runner`` is ``ssh:USER@HOST[:PORT]``. Raises `DataError` where the inputs do not fit,
    `ToolError` where the computer cannot be reached or cannot build or run the bundle.
    """
    engine = SshRunner(runner.removeprefix(PREFIX))
    if inputs is None:
        inputs = test_vectors(bundle).head(1).codes(bundle.graph)
    progress.stage(f"Timing on {runner.removeprefix(PREFIX)}")
    latency = engine.time(bundle, inputs)
    return Timed(engine.name, len(next(iter(inputs.values()))), latency)
