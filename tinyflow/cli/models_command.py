"""List the models that TinyFlow knows by name, and what they take.

Figures hold for the published resolution and number of classes: multiply-accumulates, bytes of
int8 weights and their tables, and the arena of activations on a Cortex-M7, picture included.
"""

from __future__ import annotations

import argparse
from typing import Any

from tinyflow.cli.console import Console, table

HELP = "list the models known by name"
_HEADS = ["MODEL", "TASK", "INPUT", "CLASSES", "PARAMETERS", "MACS", "INT8", "ARENA"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Takes no arguments of its own."""


def run(arguments: argparse.Namespace, console: Console) -> int:
    from tinyflow.models import list_models, model_spec
    from tinyflow.models.figures import load_figures

    figures = load_figures()
    models: list[dict[str, Any]] = []
    for spec in map(model_spec, list_models()):
        known = figures[spec.name]
        models.append(
            {
                "name": spec.name,
                "family": spec.family.value,
                "task": spec.task.value,
                "resolution": spec.resolution,
                "classes": spec.classes,
                "parameters": known.parameters,
                "macs": known.macs,
                "int8_bytes": known.int8_bytes,
                "arena_bytes": known.arena_bytes,
                "mean": list(spec.preprocessing.mean),
                "std": list(spec.preprocessing.std),
            }
        )
    rows = [
        [
            m["name"],
            m["task"],
            f"{m['resolution']}x{m['resolution']}",
            str(m["classes"]),
            f"{m['parameters']:,}",
            f"{m['macs'] / 1e6:,.0f} M",
            _size(m["int8_bytes"]),
            _size(m["arena_bytes"]),
        ]
        for m in models
    ]
    console.result(table(_HEADS, rows), models)
    return 0


def _size(nbytes: int | None) -> str:
    return "-" if nbytes is None else f"{-(-nbytes // 1024):,} KB"
