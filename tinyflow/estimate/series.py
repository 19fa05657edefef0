"""Published latencies: series of networks that one party measured on one device in one runtime."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from tinyflow.errors import UsageError
from tinyflow.estimate.work import Work


@dataclass(frozen=True)
class Point:
    """One network: what was published, and its work at that resolution."""

    model: str
    resolution: int
    ms: float
    work: Work


@dataclass(frozen=True)
class Series:
    """``conditions`` are runtime, precision and batch; figures of different series are not
    comparable. ``source`` is who published them."""

    name: str
    device: str
    conditions: str
    source: str
    points: tuple[Point, ...]


@cache
def load_series() -> Mapping[str, Series]:
    """All series by name."""
    table = json.loads(files("tinyflow.estimate").joinpath("published.json").read_text())
    return {name: _series(name, entry) for name, entry in table.items()}


def find_series(name: str) -> Series:
    """Raises `UsageError` naming all there are."""
    found = load_series()
    if name not in found:
        raise UsageError(f"there is no series '{name}'", f"choose one of {', '.join(found)}")
    return found[name]


def _series(name: str, entry: Mapping[str, Any]) -> Series:
    points = [
        Point(
            p["model"],
            p["resolution"],
            p["ms"],
            Work(p["launches"], p["flops"], p["norm_elements"]),
        )
        for p in entry["points"]
    ]
    return Series(name, entry["device"], entry["conditions"], entry["source"], tuple(points))
