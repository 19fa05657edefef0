"""report.json: an empty one, reading, writing, and adding to it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tinyflow.bundle import json_bytes, write_files
from tinyflow.errors import BundleError

REPORT = "report.json"
PAGE = "report.html"
SCHEMA_VERSION = 1
_PARTS = ("model", "target", "accuracy", "layers", "memory", "arena", "latency", "verify")


def no_accuracy() -> dict[str, Any]:
    """The accuracy of a model that was not measured."""
    nothing = {"top1": None, "top5": None, "value": None, "ci95": None}
    return {
        "metric": None,
        "samples": None,
        "runner": None,
        "float": dict(nothing),
        "compiled": dict(nothing),
        "drop_pp": None,
        "drop_ci95_pp": None,
        "agreement": None,
        "logit_sqnr_db": None,
        "waterfall": [],
    }


def no_memory() -> dict[str, Any]:
    names = (
        "arena_bytes",
        "stack_bytes",
        "ram_bytes",
        "weight_bytes",
        "table_bytes",
        "code_bytes",
        "flash_bytes",
        "arena_lower_bound_bytes",
    )
    return dict.fromkeys(names)


def read_report(folder: Path) -> dict[str, Any]:
    """Raises `BundleError` where ``folder`` holds no sound report."""
    path = folder / REPORT
    if not path.is_file():
        raise BundleError(
            f"there is no {REPORT} in '{folder}'", "name a folder that tinyflow compile made"
        )
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        version = document["schema_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(f"'{path}' is damaged ({error})", "compile the model again") from None
    if version != SCHEMA_VERSION:
        raise BundleError(
            f"'{path}' has schema {version}, this TinyFlow reads {SCHEMA_VERSION}",
            "compile the model again with this version",
        )
    if missing := [part for part in _PARTS if part not in document]:
        raise BundleError(f"'{path}' is damaged (it lacks {missing[0]})", "compile the model again")
    return dict(document)


def write_report(folder: Path, report: Mapping[str, Any]) -> None:
    """report.json, and report.html drawn from it."""
    write_files(folder, {REPORT: json_bytes(report)})
    draw_report(folder, report)


def draw_report(folder: Path, report: Mapping[str, Any]) -> None:
    from tinyflow.report.page import render_page

    write_files(folder, {PAGE: render_page(report).encode()})


def add_verdict(folder: Path, verdict: Mapping[str, Any]) -> None:
    """Puts a verdict in the place of the same runner's earlier one."""
    report = read_report(folder)
    others = [v for v in report["verify"] if v["runner"] != verdict["runner"]]
    report["verify"] = sorted([*others, verdict], key=lambda v: str(v["runner"]))
    write_report(folder, report)


def add_ladder(folder: Path, rungs: Sequence[Mapping[str, Any]]) -> None:
    """Puts the parity ladder in the place of an earlier one."""
    write_report(folder, {**read_report(folder), "ladder": list(rungs)})
