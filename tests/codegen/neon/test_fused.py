"""Vector kernels in fused steps, tile by tile."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.support.bundles import write_graph_bundle
from tests.support.draw import SeededDraw
from tests.support.fused_graphs import BlockBuilder, fuse_at_random, fused_job, random_block
from tests.support.linux_arm import needs_linux_arm
from tests.support.neon_layers import NANO
from tests.support.random_graphs import random_inputs
from tinyflow.bundle import read_bundle
from tinyflow.codegen.c import Plan, features_of, plan_model
from tinyflow.ir import Graph
from tinyflow.quantize import run_reference
from tinyflow.targets import load_target
from tinyflow.targets.runners import get_runner

pytestmark = needs_linux_arm

FEATURES = features_of(load_target(NANO))


def check(folder: Path, graph: Graph, plan: Plan) -> set[str]:
    """Compares every tap; the variants of the layers of fused steps."""
    inputs = random_inputs(graph, 2)
    expected: dict[str, np.ndarray] = {}
    run_reference(graph, inputs, observe=expected.__setitem__)
    bundle = read_bundle(write_graph_bundle(folder, graph, inputs, NANO, plan=plan))
    taps = get_runner("qemu").run(bundle, inputs, taps=True).taps
    assert taps
    for name, codes in taps.items():
        np.testing.assert_array_equal(codes, expected[name], name)
    fused = [node for step in plan.schedule.steps if step.fused for node in step.nodes]
    return {plan.choices[node.name].name for node in fused}


def test_blocks_as_the_compiler_fuses_them(tmp_path: Path) -> None:
    b = BlockBuilder("blocks", 0)
    x = b.bottleneck(b.image("x", (1, 12, 12, 9)), 9, "bottleneck")
    graph = b.finish(b.perceptron(x, 4, "mlp"))
    assert check(tmp_path, graph, plan_model(graph, FEATURES)) >= {
        "vectors of products",
        "vectors of channels",
    }


def test_random_regions(tmp_path: Path) -> None:
    seen: set[str] = set()
    for seed in (701, 711, 730):
        draw = SeededDraw(seed)
        graph = random_block(draw)
        steps = fuse_at_random(graph, draw, FEATURES)
        job = fused_job(graph, steps, FEATURES)
        assert job.choices is not None
        seen |= check(tmp_path / str(seed), graph, Plan(job.choices, job.schedule))
    assert seen >= {"vectors of products", "vectors of sums"}
