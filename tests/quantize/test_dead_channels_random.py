"""Random graphs with dead channels: the same values, in the reference and in generated C."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.compiled import SANITIZE, Job, compile_and_run
from tests.support.dead_channels import graph_with_dead_channels, graphs_with_dead_channels
from tests.support.draw import SeededDraw
from tests.support.integer_layers import assert_same_integers
from tests.support.random_graphs import random_inputs
from tinyflow.codegen.c import demands_of
from tinyflow.codegen.schedule import make_schedule
from tinyflow.ir import Graph
from tinyflow.quantize import remove_dead_channels, run_reference
from tinyflow.quantize.attach import attach_integers


def check(graph: Graph, seed: int) -> int:
    """Returns how many channels went."""
    removal = remove_dead_channels(graph)
    inputs = random_inputs(graph, 8, seed)
    before: dict[str, np.ndarray] = {}
    after: dict[str, np.ndarray] = {}
    outputs = run_reference(graph, inputs, before.__setitem__)
    same = run_reference(removal.graph, inputs, after.__setitem__)
    for name, codes in outputs.items():
        np.testing.assert_array_equal(same[name], codes, name)
    assert set(after) == {name for name, kept in removal.kept.items() if len(kept)}
    for name, codes in after.items():
        whole = before[name]
        expected = whole if codes.ndim < 2 else whole[..., removal.kept[name]]
        np.testing.assert_array_equal(codes, expected, name)
    assert remove_dead_channels(removal.graph).graph is removal.graph
    assert graph.rounding is not None
    # The bounds on sums hold for what is left: integers can be attached anew, and are the same.
    assert_same_integers(removal.graph, attach_integers(removal.graph, graph.rounding))
    return removal.channels


@settings(max_examples=80, deadline=None)
@given(graphs_with_dead_channels(), st.integers(0, 99))
def test_all_that_is_left_is_the_same(graph: Graph, seed: int) -> None:
    check(graph, seed)


def test_most_graphs_lose_channels() -> None:
    lost = [check(graph_with_dead_channels(SeededDraw(seed)), seed) for seed in range(80)]
    assert sum(count > 0 for count in lost) > 40
    assert sum(lost) > 400


@pytest.mark.slow
def test_generated_c_computes_the_same(tmp_path: Path) -> None:
    graphs = [graph_with_dead_channels(SeededDraw(seed), 6) for seed in range(100, 130)]
    left = [remove_dead_channels(graph).graph for graph in graphs]
    jobs = [
        Job(make_schedule(graph, demands_of(graph, {})), random_inputs(graph, 4)) for graph in left
    ]
    results = compile_and_run(jobs, tmp_path, SANITIZE)
    for graph, job, result in zip(graphs, jobs, results, strict=True):
        expected = run_reference(graph, job.inputs)
        for name, codes in result.outputs.items():
            np.testing.assert_array_equal(codes, expected[name], str(graph))
