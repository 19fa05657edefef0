"""Every operation that TFLite Micro has is equal to it, code by code."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.random_graphs import ALL_OPS, random_graph, random_inputs
from tinyflow.codegen.tflite import write_tflite
from tinyflow.ir import Graph, Op
from tinyflow.quantize.reference import run_reference

pytest.importorskip("tflite_micro")
from tests.support.tflite_micro import run_tflite_micro

OWN = {
    Op.ABS,
    Op.ATTENTION,
    Op.CHANNEL_GATE,
    Op.CROSS_COVARIANCE,
    Op.ERF,
    Op.EXP,
    Op.FUNCTION,
    Op.GELU,
    Op.HARD_SIGMOID,
    Op.LAYER_NORM,
    Op.LOG,
    Op.POWER,
}
"""What TFLite Micro does not have in int8, or in one layer."""
SHARED_OPS = tuple(op for op in ALL_OPS if op not in OWN)


def expressible(graph: Graph, seed: int, samples: int = 5) -> bool:
    """Whether TFLite Micro can run the graph; if so, every activation is compared."""
    if write_tflite(graph).custom:
        return False
    inputs = random_inputs(graph, samples, seed)
    expected = run_tflite_micro(graph, inputs)
    seen: dict[str, np.ndarray] = {}
    run_reference(graph, inputs, lambda name, array: seen.update({name: array}))
    for node in graph.nodes:
        np.testing.assert_array_equal(
            seen[node.output], expected[node.output], err_msg=f"seed {seed}: {node}\n{graph}"
        )
    return True


@pytest.mark.parametrize("op", SHARED_OPS, ids=lambda op: op.value)
def test_operation(op):
    compared = sum(expressible(random_graph(seed, (op,), 2), seed) for seed in range(16))
    assert compared >= 3


@pytest.mark.slow
@pytest.mark.parametrize("op", SHARED_OPS, ids=lambda op: op.value)
def test_operation_many_times(op):
    compared = sum(expressible(random_graph(seed, (op,), 3), seed) for seed in range(1000, 1200))
    assert compared >= 30


def test_graphs_of_several_operations():
    assert sum(expressible(random_graph(seed, SHARED_OPS), seed) for seed in range(40)) >= 12


@pytest.mark.slow
def test_many_graphs_of_several_operations():
    graphs = [random_graph(seed, SHARED_OPS) for seed in range(1000, 1400)]
    assert sum(expressible(graph, seed) for seed, graph in enumerate(graphs)) >= 150
