"""Layers for which vector kernels are chosen, run on this computer and emulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tests.support.bundles import write_graph_bundle
from tests.support.random_graphs import random_inputs
from tinyflow.bundle import read_bundle
from tinyflow.codegen.c import Goal, choose_variants, features_of
from tinyflow.ir import Graph, Op
from tinyflow.quantize import run_reference
from tinyflow.targets import load_target
from tinyflow.targets.runners import get_runner

NANO = "cortex-a57"
ORIN = "cortex-a78"
CORES = (NANO, ORIN)


def variant_names(graph: Graph) -> set[str]:
    """The variants that compute the nodes on a core with vectors."""
    choices = choose_variants(graph, features_of(load_target(NANO)), Goal.SPEED)
    return {choices[node.name].name for node in graph.nodes}


def assert_equal_with_vectors(
    graph: Graph,
    folder: Path,
    count: int = 3,
    inputs: Mapping[str, np.ndarray] | None = None,
    fuse: bool = False,
    cores: Sequence[str] = CORES,
    here: bool = False,
) -> None:
    """Every tensor that is computed equals the reference's, on emulated cores without and with dot
    products, and, if ``here``, by plain C with sanitizers on this computer."""
    inputs = random_inputs(graph, count) if inputs is None else inputs
    expected: dict[str, np.ndarray] = {}
    run_reference(graph, inputs, observe=expected.__setitem__)
    for core in cores:
        place = write_graph_bundle(
            folder / core,
            graph,
            inputs,
            core,
            goal=Goal.BALANCED if fuse else Goal.SPEED,
            fuse=fuse,
        )
        bundle = read_bundle(place)
        for on in ("host", "qemu") if here and core == NANO else ("qemu",):
            result = get_runner(on).run(bundle, inputs, taps=True, sanitize=on == "host")
            assert result.taps is not None
            assert result.taps.keys() == {n.output for n in graph.nodes if n.op is not Op.RESHAPE}
            for name, codes in result.taps.items():
                np.testing.assert_array_equal(codes, expected[name], f"{core}, {on}: {name}")
