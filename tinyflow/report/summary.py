"""The report in a few lines for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinyflow.report import figures
from tinyflow.report.document import PAGE


def summarize(report: Mapping[str, Any], folder: Path) -> str:
    """One figure a line; what was not measured is left out."""
    model, target = report["model"], report["target"]
    head = f"{model['name']} for {target['name']}" if target["name"] else model["name"]
    lines = [f"{head}: {figures.count(model['parameters'])} parameters, "
             f"{figures.count(model['macs'])} MACs"]  # fmt: skip
    rows = [
        *_removed(model),
        *_accuracy(report["accuracy"]),
        *_memory(report["memory"]),
        *[(f"time {entry['runner']}", _latency(entry)) for entry in report["latency"]],
        *[(f"verify {v['runner']}", verdict_text(v)) for v in report["verify"]],
        *_tflite(report.get("tflite")),
        ("report", str(folder / PAGE)),
    ]
    calibration = report.get("calibration")
    if calibration and calibration["random"]:
        rows.insert(0, ("calibration", "RANDOM: for timing only, its accuracy means nothing"))
    width = max(len(name) for name, _ in rows)
    return "\n".join([*lines, *(f"  {name.ljust(width)}  {text}" for name, text in rows)])


def _removed(model: Mapping[str, Any]) -> list[tuple[str, str]]:
    channels = model.get("removed_channels")
    if not channels:
        return []
    saved = figures.count(model["macs_removed"])
    return [("removed", f"{channels} dead channels, {saved} MACs")]


def _accuracy(accuracy: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = []
    compiled, reference = accuracy["compiled"], accuracy["float"]
    n = accuracy["samples"]
    if compiled["top1"] is not None:
        place = f" in {_RUNNERS.get(accuracy['runner'], accuracy['runner'])}"
        ci = figures.interval(compiled["ci95"])
        text = f"{figures.percent(compiled['top1'])} top-1{place} (n = {n}, 95% CI {ci})"
        rows.append(("accuracy", text))
    if reference["top1"] is not None:
        rows.append(("float", f"{figures.percent(reference['top1'])} top-1"))
    if accuracy["drop_pp"] is not None:
        ci = figures.interval(accuracy["drop_ci95_pp"])
        rows.append(("drop", f"{figures.points(accuracy['drop_pp'])} (95% CI {ci})"))
    if accuracy["agreement"] is not None:
        rows.append(("agreement", f"{figures.percent(accuracy['agreement'])} with float"))
    return rows


_RUNNERS = {
    "qemu": "the emulator",
    "host": "the host build",
    "reference": "the integer reference",
    "tflite-micro": "TFLite Micro, lowered",
}


def _memory(memory: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = []
    if memory["ram_bytes"] is not None:
        parts = f"arena {figures.size(memory['arena_bytes'])}"
        if memory["stack_bytes"] is not None:
            parts += f", stack {figures.size(memory['stack_bytes'])}"
        rows.append(("RAM", f"{figures.size(memory['ram_bytes'])} ({parts})"))
    elif memory["arena_bytes"] is not None:
        rows.append(("arena", figures.size(memory["arena_bytes"])))
    if memory["flash_bytes"] is not None:
        parts = ", ".join(
            f"{word} {figures.size(memory[key])}"
            for word, key in (
                ("weights", "weight_bytes"), ("tables", "table_bytes"), ("code", "code_bytes"),
            )
        )  # fmt: skip
        rows.append(("flash", f"{figures.size(memory['flash_bytes'])} ({parts})"))
    return rows


def _latency(entry: Mapping[str, Any]) -> str:
    """Cycles, and milliseconds where a clock is known or one has measured them."""
    if not entry["estimated"]:
        return f"{figures.milliseconds(entry['ms'])}, measured: {entry['calibration']}"
    cycles = entry["cycles"] if entry["cycles_flash"] is None else entry["cycles_flash"]
    kind = "modelled" if entry["calibrated"] else "ESTIMATED"
    text = f"{figures.count(cycles)} cycles, {kind}"
    if entry["ms"] is None:
        return text
    return f"{figures.milliseconds(entry['ms'])} at {figures.clock(entry['clock_hz'])} ({text})"


def _tflite(entry: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    if entry is None:
        return []
    kinds = f"{len(entry['operators'])} kinds of operators"
    if entry["custom"]:
        kinds += f", custom ones: {', '.join(entry['custom'])}"
    rows = [(entry["file"], f"{figures.size(entry['bytes'])}, {kinds}")]
    if entry["costs"] is not None:
        outputs = ", ".join(_cost(cost) for cost in entry["costs"]["outputs"])
        rows.append(("lowering", f"{entry['lowered']} layers; output against int8: {outputs}"))
    return rows


def _cost(cost: Mapping[str, Any]) -> str:
    return "equal" if cost["equal"] else figures.decibel(cost["sqnr_db"])


def verdict_text(verdict: Mapping[str, Any]) -> str:
    """One verdict in words."""
    seen = f"{verdict['tensors_compared']} tensors, {verdict['inputs']} inputs"
    if verdict.get("note"):
        seen += f"; {verdict['note']}"
    reference = verdict.get("reference", "integer reference")
    if verdict["bit_exact"]:
        return f"equal to the {reference} ({seen})"
    first = verdict["first_mismatch"]
    return f"DIFFERS from the {reference}, first in layer '{first['layer']}' ({seen})"
