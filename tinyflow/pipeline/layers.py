"""The report's entries about layers, the arena and the model as a whole."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tinyflow.codegen.c import LayerInfo
from tinyflow.codegen.schedule import Schedule
from tinyflow.data import Dataset
from tinyflow.ir import Graph
from tinyflow.pipeline.source import Source
from tinyflow.progress import Progress
from tinyflow.quantize import LayerError, Removal, compare_layers
from tinyflow.quantize.metrics import logit_tensors

LAYER_SAMPLES = 64
"""Inputs on which the errors of layers are measured."""


def layer_errors(
    source: Source, graph: Graph, data: Dataset | None, progress: Progress
) -> dict[str, LayerError]:
    """By tensor; empty where there is no float model, or no data that mean anything."""
    if not source.is_float or data is None or data.random:
        return {}
    progress.stage("Measuring the error of each layer")
    reals = data.head(LAYER_SAMPLES).reals(source.canonical)
    errors = compare_layers(source.canonical, graph, reals, progress.count)
    return {error.tensor: error for error in errors}


def logit_sqnr(graph: Graph, errors: Mapping[str, LayerError]) -> float | None:
    """Of the last tensors that are not squashed yet; the mean over several outputs' noise."""
    found = [errors[name].sqnr_db for name in logit_tensors(graph) if name in errors]
    if not found:
        return None
    noise = sum(10.0 ** (-value / 10.0) for value in found) / len(found)
    return finite(-10.0 * math.log10(noise)) if noise > 0.0 else None


def finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def layer_entries(
    graph: Graph,
    errors: Mapping[str, LayerError],
    schedule: Schedule | None = None,
    infos: Sequence[LayerInfo] = (),
) -> list[dict[str, Any]]:
    """One entry a node, in execution order; what was not measured or planned is None."""
    by_name = {info.name: info for info in infos}
    steps = {n.name: s.index for s in schedule.steps for n in s.nodes} if schedule else {}
    entries = []
    for node in graph.nodes:
        result = graph.result(node)
        error = errors.get(node.output)
        info = by_name.get(node.name)
        entries.append(
            {
                "name": node.name,
                "op": node.op.value,
                "source": ", ".join(node.sources or (node.name,)),
                "shape": "x".join(map(str, result.shape)),
                "kernel": info.variant if info else None,
                "function": info.function if info else None,
                "macs": graph.macs(node),
                "bits": 8 * result.dtype.itemsize,
                "sqnr_db": finite(error.sqnr_db) if error else None,
                "cosine": finite(error.cosine) if error else None,
                "saturation": error.saturation if error else None,
                "cycles": None,
                "cycles_flash": None,
                "instructions": None,
                "arena_bytes": schedule.live_bytes(steps[node.name])
                if schedule and node.name in steps
                else None,
                "weight_bytes": info.weight_bytes if info else None,
                "table_bytes": info.table_bytes if info else None,
            }
        )
    return entries


def arena_entry(schedule: Schedule | None) -> dict[str, Any]:
    """What the picture of the arena is drawn from."""
    if schedule is None:
        return {"steps": [], "placements": [], "scratch": []}
    layer_of = {node.output: node.name for node in schedule.graph.nodes}
    placements = sorted(schedule.placements.values(), key=lambda p: (p.first_step, p.offset))
    return {
        "steps": [step.nodes[-1].name for step in schedule.steps],
        "placements": [
            {
                "tensor": p.tensor,
                "layer": layer_of.get(p.tensor, p.tensor),
                "offset": p.offset,
                "bytes": p.nbytes,
                "first_step": p.first_step,
                "last_step": p.last_step,
                "alias_of": p.alias_of,
                "overlaps": p.overlaps,
            }
            for p in placements
        ],
        "scratch": [
            {"layer": name, "offset": p.offset, "bytes": p.nbytes, "step": p.first_step}
            for name, p in schedule.scratch.items()
        ],
    }


def model_entry(source: Source, removal: Removal) -> dict[str, Any]:
    """``macs`` are those that are left; those saved and the channels that went stand beside."""
    graph = removal.graph
    return {
        "name": source.name,
        "sha256": source.sha256,
        "parameters": source.canonical.parameters,
        "macs": sum(graph.macs(node) for node in graph.nodes),
        "removed_channels": removal.channels,
        "macs_removed": removal.macs,
    }
