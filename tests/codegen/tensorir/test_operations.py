"""Kernels that TVM printed equal the integer reference at every tap."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.codegen.test_postprocess import ATTRS, detector, identity
from tests.support.compiled import Job, compile_and_run
from tests.support.graphs import GraphBuilder
from tests.support.random_graphs import ALL_OPS, random_graph
from tests.support.tensorir import tensorir_job
from tinyflow.codegen.tvm.ops import LOWERINGS, PIECES
from tinyflow.ir import Graph, Op, QuantParams, Rounding
from tinyflow.ir.ops.resize import ResizeAttrs
from tinyflow.quantize import attach_integers, run_reference
from tinyflow.quantize.postprocess import add_argmax

ROUNDINGS = tuple(Rounding)
POSTPROCESSING = {Op.ARGMAX, Op.DETECTION}
"""Operations at the end of a network, which random graphs do not have."""


def check(jobs: Sequence[Job], folder: Path, flags: Sequence[str] | None = None) -> None:
    """Every tensor of every job; the sanitizers watch if no other flags are given."""
    results = compile_and_run(jobs, folder, *([flags] if flags else []))
    for job, result in zip(jobs, results, strict=True):
        expected: dict[str, np.ndarray] = {}
        run_reference(job.graph, job.inputs, expected.__setitem__)
        for tensor, codes in {**result.taps, **result.outputs}.items():
            where = f"{job.graph.producer(tensor)}\n{job.graph}"
            np.testing.assert_array_equal(codes, expected[tensor], err_msg=where)


def labels(channels: int, size: ResizeAttrs | None) -> Graph:
    """The best channel of each pixel, of an image as it is or enlarged."""
    b = GraphBuilder()
    quant = QuantParams.per_tensor(0.1, 4)
    y = identity(b, "x", (1, 5, 3, channels), quant)
    if size is not None:
        y = b.node(Op.RESIZE_BILINEAR, [y], size, quant=quant)
    return add_argmax(attach_integers(b.build(y)), y)


def test_every_operation_has_a_kernel() -> None:
    assert set(LOWERINGS) | set(PIECES) == {*ALL_OPS, *POSTPROCESSING}
    assert not set(LOWERINGS) & set(PIECES)


def test_one_small_graph_equals_the_reference(tmp_path: Path) -> None:
    check([tensorir_job(random_graph(7, max_nodes=3))], tmp_path, ("-O0",))


@pytest.mark.slow
def test_every_operation_equals_the_reference(tmp_path: Path) -> None:
    graphs = [
        random_graph(1000 * number, (op,), max_nodes=3, rounding=ROUNDINGS[number % 2])
        for number, op in enumerate(ALL_OPS)
    ]
    assert {node.op for graph in graphs for node in graph.nodes} == set(ALL_OPS)
    check([tensorir_job(graph) for graph in graphs], tmp_path)


@pytest.mark.slow
def test_joined_operations_equal_the_reference(tmp_path: Path) -> None:
    graphs = [
        random_graph(seed, max_nodes=8, rounding=rounding)
        for seed in range(300, 305)
        for rounding in ROUNDINGS
    ]
    check([tensorir_job(graph) for graph in graphs], tmp_path, ("-O2",))


@pytest.mark.slow
def test_boxes_and_labels_equal_the_reference(tmp_path: Path) -> None:
    larger = ResizeAttrs((17, 12), half_pixel_centers=True)
    kinds = ("usual", "few candidates", "few detections", "nothing is good enough")
    graphs = [detector(40, 6, ATTRS[kind]) for kind in kinds]
    graphs += [labels(2, None), labels(256, None), labels(300, None), labels(3, larger)]
    check([tensorir_job(graph) for graph in graphs], tmp_path)
