"""The figures of a profile, as the report holds them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tinyflow.targets.model import FlashProfile
from tinyflow.targets.profiler import Counts


def flash_cycles(counts: Counts, profile: FlashProfile | None) -> int | None:
    """``counts.cycles`` and what waiting for flash adds; None without a profile of the flash."""
    if profile is None:
        return None
    loads = profile.data_load_cycles * counts.flash_loads
    return round(counts.cycles + loads + profile.miss_cycles * counts.cache_misses)


@dataclass(frozen=True)
class LayerFigures:
    """One layer and all that it calls. ``cycles`` are those with zero wait states,
    ``cycles_flash`` those with the waits of the board's flash where they are known."""

    name: str
    op: str
    macs: int
    counts: Counts
    cycles_flash: int | None

    @property
    def cycles(self) -> int:
        return self.counts.cycles

    @property
    def best_cycles(self) -> int:
        """With the waits of flash where they are known."""
        return self.counts.cycles if self.cycles_flash is None else self.cycles_flash

    @property
    def cycles_per_mac(self) -> float | None:
        return self.best_cycles / self.macs if self.macs else None

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "op": self.op,
            "macs": self.macs,
            **asdict(self.counts),
            "cycles_flash": self.cycles_flash,
        }


@dataclass(frozen=True)
class Profile:
    """The mean over ``inputs`` inferences; ``total`` has the same names as a layer.

    ``most_cycles`` is that of the slowest input. ``rest`` is what belongs to no layer: the model's
    entry function, and the call of it. ``unknown`` counts instructions that the core model does
    not know.
    """

    runner: str
    inputs: int
    layers: tuple[LayerFigures, ...]
    rest: LayerFigures
    total: LayerFigures
    most_cycles: int
    clock_hz: int | None
    calibrated: bool
    calibration: str
    unknown: int = 0

    @property
    def ms(self) -> float | None:
        """Milliseconds at the board's clock; None where no clock is known."""
        if self.clock_hz is None:
            return None
        return round(1000.0 * self.total.best_cycles / self.clock_hz, 4)

    def latency_json(self) -> dict[str, Any]:
        """An entry of report.json's latency list."""
        return {
            "runner": self.runner,
            "inputs": self.inputs,
            **asdict(self.total.counts),
            "cycles_flash": self.total.cycles_flash,
            "cycles_most": self.most_cycles,
            "clock_hz": self.clock_hz,
            "ms": self.ms,
            # A model counted these cycles, not a clock; `calibration` says how well it does.
            "estimated": True,
            "calibrated": self.calibrated,
            "calibration": self.calibration,
        }

    def to_json(self) -> dict[str, Any]:
        return {
            "latency": self.latency_json(),
            "layers": [layer.to_json() for layer in self.layers],
            "rest": self.rest.to_json(),
        }
