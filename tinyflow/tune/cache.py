"""Figures that were measured before, kept for the user between runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile

from tinyflow.targets.profiler.plugin import cache_folder

Figures = Mapping[str, tuple[int, int, int, int, int]]
"""By layer function: cycles, loads from flash, cache misses, bytes of it and of what it calls."""


def load_figures(key: str) -> Figures | None:
    """None where nothing was kept under this key, or nothing that can be read."""
    try:
        found = json.loads(_place(key).read_text(encoding="utf-8"))
        return {str(name): _figures(values) for name, values in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def store_figures(key: str, figures: Figures) -> None:
    """Whole or not at all. Where the cache cannot be written, they are measured anew next time."""
    place = _place(key)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", dir=place.parent, delete=False, encoding="utf-8") as file:
            json.dump(figures, file)
        Path(file.name).replace(place)
    except OSError:
        return


def _figures(values: list[int]) -> tuple[int, int, int, int, int]:
    a, b, c, d, e = (int(value) for value in values)
    return a, b, c, d, e


def _place(key: str) -> Path:
    return cache_folder() / "tuning" / f"{key}.json"
