"""Core models: what each class of instructions costs, from the TOML files in targets/timing."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from tinyflow.errors import UsageError

_KEYS = {"base", "every", "calibrated", "calibration", "cycles", "rules"}
_EVERY = "every"


@dataclass(frozen=True)
class Timing:
    """Cycles of a core with zero wait states.

    ``cycles`` is by class of instructions and ``rules`` by name of a rule; firmware/profiler
    tells what they mean (thumb.h, timing.h). ``calibrated`` where the model was held against
    hardware; ``calibration`` says against what, and how well it did.
    """

    core: str
    calibrated: bool
    calibration: str
    cycles: Mapping[str, int]
    rules: Mapping[str, int]

    def __post_init__(self) -> None:
        for name, value in (*self.cycles.items(), *self.rules.items()):
            if not isinstance(value, int) or value < 0:
                raise UsageError(
                    f"the core model of '{self.core}' gives {value!r} cycles for '{name}'",
                    "cycles are whole numbers from 0 on",
                )


@cache
def load_timing(core: str) -> Timing:
    """The model of a core. Raises `UsageError` where there is none or its file is wrong."""
    entry = files("tinyflow.targets").joinpath("timing", f"{core}.toml")
    if not entry.is_file():
        raise UsageError(
            f"there is no core model for '{core}', so its cycles cannot be counted",
            f"there are models for {', '.join(list_timings())}",
        )
    return parse_timing(core, tomllib.loads(entry.read_text()))


def list_timings() -> tuple[str, ...]:
    """The cores that have a model."""
    folder = files("tinyflow.targets").joinpath("timing")
    return tuple(
        sorted(e.name.removesuffix(".toml") for e in folder.iterdir() if e.name.endswith(".toml"))
    )


def parse_timing(core: str, table: Mapping[str, Any]) -> Timing:
    """A model names what differs from its ``base``; without one, it names everything."""
    where = f"the core model of '{core}'"
    if unknown := sorted(set(table) - _KEYS):
        raise UsageError(
            f"{where} has the unknown key '{unknown[0]}'",
            f"the keys are {', '.join(sorted(_KEYS))}",
        )
    if missing := sorted({"calibrated", "calibration"} - set(table)):
        raise UsageError(f"{where} lacks the key '{missing[0]}'")
    base = load_timing(table["base"]) if "base" in table else None
    cycles, rules = dict(table.get("cycles", {})), dict(table.get("rules", {}))
    if base is not None:
        for part, known in ((cycles, base.cycles), (rules, base.rules)):
            if strange := sorted(set(part) - set(known)):
                raise UsageError(f"{where} has the unknown entry '{strange[0]}'")
        ground = dict.fromkeys(base.cycles, table[_EVERY]) if _EVERY in table else base.cycles
        cycles, rules = {**ground, **cycles}, {**base.rules, **rules}
    return Timing(core, table["calibrated"], table["calibration"], cycles, rules)
