"""Kernels that copy their weights to RAM first: for boards whose flash makes loads wait."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.bundles import write_graph_bundle
from tests.support.integer_layers import SAME, LayerBuilder
from tests.support.random_graphs import random_inputs
from tinyflow.bundle import read_bundle
from tinyflow.codegen.c import Goal, choose_variants, demands_of, features_of, variants_of
from tinyflow.ir import Graph
from tinyflow.quantize import attach_integers, run_reference
from tinyflow.targets import load_target
from tinyflow.targets.runners import get_runner

SLOW = "nucleo-l4r5zi"
FEATURES = features_of(load_target(SLOW))


def convolutions(height: int = 6, width: int = 5) -> Graph:
    """3x3 of channels in fours, in groups, 1x1, 3x3 of odd channels."""
    b = LayerBuilder()
    x = b.image("x", (1, height, width, 8))
    x = b.conv(x, b.weights((12, 3, 3, 8)), b.biases(12), "winograd", SAME)
    x = b.conv(x, b.weights((12, 3, 3, 6)), b.biases(12), "groups", SAME, groups=2)
    x = b.conv(x, b.weights((7, 1, 1, 12)), b.biases(7), "pointwise")
    x = b.conv(x, b.weights((5, 3, 3, 7)), b.biases(5), "ring", SAME, stride=2)
    return attach_integers(b.build(x))


def names(graph: Graph, goal: Goal) -> list[str]:
    choices = choose_variants(graph, FEATURES, goal)
    return [choices[node.name].name for node in graph.nodes]


@pytest.mark.parametrize("goal", [Goal.SPEED, Goal.BALANCED])
def test_equal_to_the_reference(goal: Goal, tmp_path: Path) -> None:
    graph = convolutions()
    assert all("staged" in name for name in names(graph, goal))
    inputs = random_inputs(graph, 4)
    expected: dict[str, np.ndarray] = {}
    run_reference(graph, inputs, observe=expected.__setitem__)
    bundle = read_bundle(write_graph_bundle(tmp_path, graph, inputs, target=SLOW, goal=goal))
    source = (tmp_path / "src" / "net.c").read_text()
    assert source.count("memcpy(arena + ") == len(graph.nodes)
    for on in ("host", "qemu"):
        result = get_runner(on).run(bundle, inputs, taps=True, sanitize=on == "host")
        assert result.taps is not None
        for node in graph.nodes:
            np.testing.assert_array_equal(result.taps[node.output], expected[node.output], on)


def test_scratch_holds_the_copy_behind_the_kernel_s_own() -> None:
    graph = convolutions()
    for node in graph.nodes:
        found = {v.name: v for v in variants_of(graph, node, FEATURES, Goal.SPEED)}
        for name in (name for name in found if name.endswith(", staged")):
            plain = found[name.removesuffix(", staged")].demand(graph, node)
            staged = found[name].demand(graph, node)
            weights = graph.tensors[node.inputs[1]].nbytes
            assert staged.scratch_bytes >= plain.scratch_bytes + weights
            assert staged.overwrites == plain.overwrites


def test_only_where_flash_is_slow() -> None:
    graph = convolutions()
    features = features_of(load_target("cortex-m4"))
    for node in graph.nodes:
        found = [v.name for v in variants_of(graph, node, features, Goal.SPEED)]
        assert len(found) > 1 and not any("staged" in name for name in found)


def test_not_where_each_weight_is_read_once() -> None:
    """A single pixel: the copy would cost more than it saves."""
    graph = convolutions(1, 1)
    assert not any("staged" in name for name in names(graph, Goal.SPEED))


def test_size_of_the_copy_does_not_depend_on_the_plan() -> None:
    """The demand that is known before the plan is what the binding then needs."""
    graph = convolutions()
    first = demands_of(graph, choose_variants(graph, FEATURES, Goal.SPEED))
    again = demands_of(convolutions(), choose_variants(convolutions(), FEATURES, Goal.SPEED))
    assert first == again
