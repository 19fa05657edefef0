"""Makes the tuning table: measures every variant on every shape, and fits the models."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from tinyflow.codegen.c import Cost, Goal, Variant, features_of, variants_of
from tinyflow.codegen.c.variants.shape import QUANTITIES, quantities, shape_key
from tinyflow.codegen.c.variants.table import FIGURES, SCHEMA_VERSION, model_key
from tinyflow.ir import Graph, Node
from tinyflow.progress import SILENT, Progress
from tinyflow.targets import Target
from tinyflow.targets.tools import call
from tinyflow.tune.fit import fit
from tinyflow.tune.measure import measure_choices

CYCLES = "balanced"
"""The goal for which layers are compiled whose cycles are counted."""

BYTES = "size"
"""The same where their bytes count: only the goal size asks for these."""


@dataclass
class Measured:
    """``costs`` by shape and variant, ``values`` of the quantities by shape, ``shapes`` of each
    operation and variant."""

    costs: dict[str, dict[str, Cost]] = field(default_factory=dict)
    values: dict[str, Mapping[str, int]] = field(default_factory=dict)
    shapes: dict[str, list[str]] = field(default_factory=dict)

    def add(self, graph: Graph, node: Node, variant: str, cost: Cost) -> None:
        """Keeps the first figures for a shape and variant."""
        key = shape_key(graph, node)
        if variant not in self.costs.setdefault(key, {}):
            self.costs[key][variant] = cost
            self.values[key] = quantities(graph, node)
            self.shapes.setdefault(model_key(node, variant), []).append(key)


def tabulate(
    graphs: Sequence[Graph], target: Target, progress: Progress = SILENT
) -> dict[str, Any]:
    """The table's document for the layers of quantized graphs. Raises `ToolError`.

    The emulator is deterministic: the same sources and compiler give the same table.
    """
    measured = Measured()
    for number, graph in enumerate(graphs):
        _measure(measured, graph, target)
        progress.count("networks measured", number + 1, len(graphs))
    version = call([target.compiler, "-dumpfullversion"], "tuning", Path.cwd()).strip()
    # Where there is but one kernel, nothing is to be chosen.
    several = {key.split()[0] for key in measured.shapes if key.split()[1] != "portable"}
    return {
        "schema_version": SCHEMA_VERSION,
        "core": target.core,
        "target": target.name,
        "compiler": f"{target.compiler} {version}",
        "figures": list(FIGURES),
        "models": {
            key: _model(measured, key)
            for key in sorted(measured.shapes)
            if key.split()[0] in several
        },
        "measured": {
            shape: {name: list(astuple(cost)) for name, cost in sorted(entries.items())}
            for shape, entries in sorted(measured.costs.items())
            if len(entries) > 1
        },
    }


def _measure(measured: Measured, graph: Graph, target: Target) -> None:
    variants = {node.name: _all_variants(graph, node, target) for node in graph.nodes}
    nodes = {node.name: node for node in graph.nodes}
    for turn in range(max(map(len, variants.values()))):
        choices = {name: found[min(turn, len(found) - 1)] for name, found in variants.items()}
        costs = measure_choices(graph, choices, target, CYCLES)
        small = measure_choices(graph, choices, target, BYTES)
        for name, cost in costs.items():
            sizes = {f: getattr(small[name], f) for f in ("own_bytes", "shared_bytes")}
            measured.add(graph, nodes[name], choices[name].name, replace(cost, **sizes))


def _all_variants(graph: Graph, node: Node, target: Target) -> list[Variant]:
    """Of all goals, each once."""
    found: dict[str, Variant] = {}
    for goal in Goal:
        for variant in variants_of(graph, node, features_of(target), goal):
            found.setdefault(variant.name, variant)
    return list(found.values())


def _model(measured: Measured, key: str) -> dict[str, Any]:
    """Coefficients, and how far the modelled cycles are off."""
    variant = key.partition(" ")[2]
    shapes = measured.shapes[key]
    rows = np.array([[measured.values[s][q] for q in QUANTITIES] for s in shapes], float)
    figures = np.array([astuple(measured.costs[s][variant]) for s in shapes], float)
    terms = {name: fit(rows, figures[:, i]) for i, name in enumerate(FIGURES)}
    said = rows @ np.array([terms["cycles"].get(q, 0.0) for q in QUANTITIES])
    errors = 100 * np.abs(said / np.maximum(figures[:, 0], 1.0) - 1)
    return {
        "coefficients": {name: entry for name, entry in terms.items() if entry},
        "shapes": len(rows),
        "error_percent": {
            "median": round(float(np.median(errors)), 1),
            "worst": round(float(errors.max()), 1),
        },
    }


def to_text(table: Mapping[str, Any]) -> str:
    """JSON with one line for each model and each shape."""
    lines = []
    for key, value in table.items():
        if isinstance(value, dict):
            inner = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items())
            lines.append(f" {json.dumps(key)}: {{\n{inner}\n }}")
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"
