"""Profiles a bundle and gives the figures to its layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from typing import Any

import numpy as np

from tinyflow.bundle import Bundle
from tinyflow.errors import BundleError, UsageError
from tinyflow.profile.figures import LayerFigures, Profile, flash_cycles
from tinyflow.progress import SILENT, Progress
from tinyflow.targets.model import FlashProfile
from tinyflow.targets.profiler import Counts, Profiled, profile_firmware
from tinyflow.targets.runners.qemu import emulated_target
from tinyflow.verify.inference import test_vectors

RUNNERS = ("qemu",)


def profile_bundle(
    bundle: Bundle,
    runner: str = "qemu",
    inputs: Mapping[str, np.ndarray] | None = None,
    progress: Progress = SILENT,
) -> Profile:
    """Runs ``inputs``, raw integers [n, ...] in the stored layout; by default one test vector.

    Raises `UsageError` where the runner counts no cycles, `BundleError` where the bundle does not
    name the functions of its layers, and what `profile_firmware` raises.
    """
    if runner not in RUNNERS:
        raise UsageError(
            f"the runner '{runner}' counts no cycles",
            f"choose one of {', '.join(RUNNERS)}; ssh:USER@HOST measures time",
        )
    emulated_target(bundle)
    layers = _layers(bundle)
    if inputs is None:
        inputs = test_vectors(bundle).head(1).codes(bundle.graph)
    progress.stage(f"Profiling on {runner}")
    roots = {*(layer["function"] for layer in layers if layer["function"]), *_outer(bundle)}
    done = profile_firmware(
        bundle,
        inputs,
        roots,
        progress=lambda finished, total: progress.count(f"profile on {runner}", finished, total),
    )
    found = _profile(runner, layers, done)
    if found.unknown:
        progress.note(
            f"{found.unknown} executed instructions are not in the core model; "
            "each is counted as one cycle"
        )
    return found


def _outer(bundle: Bundle) -> tuple[str, str]:
    """What calls the layers, so that its own code is not charged to them."""
    return (f"{bundle.name}_run", "main")


def _layers(bundle: Bundle) -> list[Mapping[str, Any]]:
    entries: list[Mapping[str, Any]] = bundle.report.get("layers", [])
    if not any(entry.get("function") for entry in entries):
        raise BundleError(
            f"the report of '{bundle.path}' does not name the C functions of its layers",
            "compile the model again",
        )
    return entries


def _profile(runner: str, layers: Sequence[Mapping[str, Any]], done: Profiled) -> Profile:
    roots = [inference.by_root for inference in done.inferences]
    flash = done.flash_profile
    named = [str(layer["function"]) for layer in layers if layer["function"]]
    rest = {name for found in roots for name in found} - set(named)
    totals = [inference.total for inference in done.inferences]
    macs = sum(int(layer["macs"] or 0) for layer in layers)

    def mean(names: Iterable[str]) -> Counts:
        wanted = list(names)
        parts = [[found.get(name, Counts()) for name in wanted] for found in roots]
        return _mean([_sum(part) for part in parts])

    return Profile(
        runner=runner,
        inputs=len(done.inferences),
        layers=tuple(
            _figures(
                layer["name"],
                layer["op"],
                int(layer["macs"] or 0),
                mean([layer["function"]] if layer["function"] else []),
                flash,
            )
            for layer in layers
        ),
        rest=_figures("", "", 0, mean(sorted(rest)), flash),
        total=_figures("", "", macs, _mean(totals), flash),
        most_cycles=max(_best(total, flash) for total in totals),
        clock_hz=done.target.clock_hz,
        calibrated=done.timing.calibrated,
        calibration=_calibration(done),
        unknown=sum(u.times for inference in done.inferences for u in inference.unknown),
    )


def _figures(
    name: str, op: str, macs: int, counts: Counts, flash: FlashProfile | None
) -> LayerFigures:
    return LayerFigures(name, op, macs, counts, flash_cycles(counts, flash))


def _best(counts: Counts, flash: FlashProfile | None) -> int:
    waited = flash_cycles(counts, flash)
    return counts.cycles if waited is None else waited


def _sum(parts: Iterable[Counts]) -> Counts:
    total = Counts()
    for part in parts:
        total += part
    return total


def _mean(parts: Sequence[Counts]) -> Counts:
    return Counts(*(round(value / len(parts)) for value in astuple(_sum(parts))))


def _calibration(done: Profiled) -> str:
    core = f"{done.target.core}: {done.timing.calibration}"
    if done.flash_profile is None:
        return core
    return f"{core}; waits for flash: {done.flash_profile.calibration}"
