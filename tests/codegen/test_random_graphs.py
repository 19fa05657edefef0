"""Generated C equals the integer reference at every tap, on random small graphs of every op."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.compiled import SANITIZE, Job, Result, compile_and_run
from tests.support.random_graphs import ALL_OPS, quantized_graphs, random_graph, random_inputs
from tinyflow.codegen.c import choose_variants, demands_of
from tinyflow.codegen.schedule import Axis, Placement, Schedule, make_schedule
from tinyflow.codegen.schedule.schedule import rows_of
from tinyflow.ir import Graph, Op, Rounding
from tinyflow.quantize import run_reference

SAMPLES = 4
GRAPHS_OF = {Op.CONV_2D: 12, Op.DEPTHWISE_CONV_2D: 6, Op.TRANSPOSE_CONV_2D: 6}
"""More graphs of operations whose kernels have several paths."""


def _job(graph: Graph) -> Job:
    """With the memory plan that the portable kernels get, results over operands."""
    schedule = make_schedule(graph, demands_of(graph, choose_variants(graph)))
    return Job(schedule, random_inputs(graph, SAMPLES))


def _overlapping(job: Job) -> list[Placement]:
    return [p for p in job.schedule.placements.values() if p.overlaps is not None]


def _in_bands(schedule: Schedule, seed: int) -> Schedule:
    """The same plan, each step that can be split computed in bands of a random height."""
    rng = np.random.default_rng(seed)
    steps = [
        step
        if step.axis is Axis.WHOLE or step.falling
        else replace(
            step, tile=int(rng.integers(1, rows_of(schedule.graph.tensors[step.output].shape) + 1))
        )
        for step in schedule.steps
    ]
    return replace(schedule, steps=tuple(steps))


def _check(jobs: Sequence[Job], results: Sequence[Result]) -> None:
    for number, (job, result) in enumerate(zip(jobs, results, strict=True)):
        expected: dict[str, np.ndarray] = {}
        outputs = run_reference(job.graph, job.inputs, expected.__setitem__)
        for tensor, codes in result.taps.items():
            where = f"graph {number}: {job.graph.producer(tensor)}\n{job.graph}"
            np.testing.assert_array_equal(codes, expected[tensor], err_msg=where)
        for tensor, codes in result.outputs.items():
            where = f"graph {number}: output '{tensor}'\n{job.graph}"
            np.testing.assert_array_equal(codes, outputs[tensor], err_msg=where)


@pytest.mark.slow
def test_every_op_equals_the_reference(tmp_path: Path) -> None:
    jobs = [
        _job(random_graph(1000 * number + seed, (op,), max_nodes=3))
        for number, op in enumerate(ALL_OPS)
        for seed in range(GRAPHS_OF.get(op, 2))
    ]
    computed = {node.op for job in jobs for node in job.graph.nodes}
    assert computed == set(ALL_OPS)
    over = {job.graph.producer(p.tensor).op for job in jobs for p in _overlapping(job)}
    assert {Op.CONV_2D, Op.DEPTHWISE_CONV_2D, Op.TRANSPOSE_CONV_2D} <= over
    assert any(step.falling for job in jobs for step in job.schedule.steps)
    _check(jobs, compile_and_run(jobs, tmp_path))


@pytest.mark.slow
def test_bands_do_not_change_a_bit(tmp_path: Path) -> None:
    whole = [_job(random_graph(seed, max_nodes=8)) for seed in range(20)]
    jobs = [replace(job, schedule=_in_bands(job.schedule, i)) for i, job in enumerate(whole)]
    tiles = [step.tile for job in jobs for step in job.schedule.steps]
    assert tiles != [step.tile for job in whole for step in job.schedule.steps]
    _check(jobs, compile_and_run(jobs, tmp_path, ("-O2",)))


@pytest.mark.slow
def test_single_rounding_equals_the_reference(tmp_path: Path) -> None:
    graphs = [random_graph(seed, max_nodes=8, rounding=Rounding.SINGLE) for seed in range(50, 62)]
    jobs = [_job(graph) for graph in graphs]
    _check(jobs, compile_and_run(jobs, tmp_path))


@pytest.mark.slow
@settings(max_examples=4, deadline=None)
@given(st.lists(quantized_graphs(), min_size=6, max_size=6))
def test_hypothesis_graphs_equal_the_reference(graphs: list[Graph]) -> None:
    jobs = [_job(graph) for graph in graphs]
    with TemporaryDirectory() as folder:
        _check(jobs, compile_and_run(jobs, Path(folder), ("-O2", *SANITIZE)))


def test_one_small_graph_equals_the_reference(tmp_path: Path) -> None:
    jobs = [_job(random_graph(7, max_nodes=3))]
    _check(jobs, compile_and_run(jobs, tmp_path, ("-O0",)))
