"""Layers for which kernels with the DSP extension are chosen, run on this computer and emulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tests.support.bundles import write_graph_bundle
from tests.support.random_graphs import random_inputs
from tinyflow.bundle import read_bundle
from tinyflow.codegen.c import Feature, Goal, choose_variants
from tinyflow.ir import Graph, Op
from tinyflow.quantize import run_reference
from tinyflow.targets.runners import get_runner

DSP = frozenset({Feature.DSP})


def variant_names(graph: Graph, goal: Goal = Goal.SPEED) -> list[str]:
    """Which variant computes each node on a core with the DSP extension."""
    choices = choose_variants(graph, DSP, goal)
    return [choices[node.name].name for node in graph.nodes]


def assert_equal_on_dsp(
    graph: Graph,
    folder: Path,
    goal: Goal = Goal.SPEED,
    runners: Sequence[str] = ("host", "qemu"),
    count: int = 5,
    inputs: Mapping[str, np.ndarray] | None = None,
    target: str = "cortex-m4",
) -> None:
    """Every tensor that is computed equals the reference's: the twins in C with sanitizers here,
    the assembly on an emulated Cortex-M4. ``inputs`` are codes, ``count`` random ones if not
    given."""
    inputs = random_inputs(graph, count) if inputs is None else inputs
    expected: dict[str, np.ndarray] = {}
    run_reference(graph, inputs, observe=expected.__setitem__)
    bundle = read_bundle(write_graph_bundle(folder, graph, inputs, target, goal=goal))
    for on in runners:
        result = get_runner(on).run(bundle, inputs, taps=True, sanitize=on == "host")
        assert result.taps is not None
        assert result.taps.keys() == {n.output for n in graph.nodes if n.op is not Op.RESHAPE}
        for name, codes in result.taps.items():
            np.testing.assert_array_equal(codes, expected[name], f"{on}: {name}\n{graph}")
