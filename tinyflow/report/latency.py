"""Puts profiles and measured times into a bundle's report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tinyflow.report.document import read_report, write_report

_LAYER_KEYS = ("instructions", "cycles", "cycles_flash")


def add_profile(folder: Path, profile: Mapping[str, Any]) -> None:
    """Takes the place of the same runner's earlier latency, and of all layers' cycles.

    ``profile`` is what `tinyflow.profile.Profile.to_json` gives.
    """
    report = read_report(folder)
    report["latency"] = _with(report["latency"], profile["latency"])
    by_name = {layer["name"]: layer for layer in profile["layers"]}
    for layer in report["layers"]:
        found = by_name.get(layer["name"])
        layer |= {key: found[key] if found else None for key in _LAYER_KEYS}
    write_report(folder, report)


def add_latency(folder: Path, latency: Mapping[str, Any]) -> None:
    """Takes the place of the same runner's earlier latency; the layers stay as they are."""
    report = read_report(folder)
    report["latency"] = _with(report["latency"], latency)
    write_report(folder, report)


def _with(
    entries: Sequence[Mapping[str, Any]], latency: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    others = [entry for entry in entries if entry["runner"] != latency["runner"]]
    return sorted([*others, latency], key=lambda entry: str(entry["runner"]))
