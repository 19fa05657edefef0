"""Every operation that has an integer form can be written, both ways."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tflite_micro")

from tests.support.random_graphs import ALL_OPS, random_graph, random_inputs
from tests.support.tflite_micro import run_model
from tinyflow.codegen.tflite import write_tflite
from tinyflow.codegen.tflite.lowering import CHAINS, PLAIN
from tinyflow.codegen.tflite.ops import HANDLERS
from tinyflow.ir import Graph, Op
from tinyflow.quantize.forms import FORMS
from tinyflow.quantize.reference import run_reference

NOT_LOWERED = {Op.DETECTION}


def test_no_operation_is_forgotten() -> None:
    written = set(HANDLERS) | set(CHAINS) | set(PLAIN)
    assert written | NOT_LOWERED == set(FORMS)
    # An operation may be exact in some cases, and lowered in others.
    assert set(HANDLERS) & (set(CHAINS) | set(PLAIN)) == {Op.ARGMAX, Op.AVERAGE_POOL}


def compare(graph: Graph, seed: int) -> None:
    """In a lowered file every layer is exact that was not lowered, nor reads what was."""
    samples = random_inputs(graph, 4, seed)
    inputs = [samples[name] for name in graph.inputs]
    run_reference(graph, dict(samples), samples.__setitem__)
    custom, file = write_tflite(graph), write_tflite(graph, samples=samples)
    assert file.lowered_nodes == custom.custom_nodes
    assert (file.custom, custom.lowered_nodes) == ((), ())
    found = run_model(file.data, inputs, file.indices, [node.output for node in graph.nodes])
    touched: set[str] = set()
    for node in graph.nodes:
        if node.name in file.lowered_nodes or touched & set(node.inputs):
            touched.add(node.output)
            assert found[node.output].shape == samples[node.output].shape
        else:
            np.testing.assert_array_equal(
                found[node.output], samples[node.output], err_msg=f"seed {seed}: {node}\n{graph}"
            )


def test_random_graphs_run_in_tflite_micro() -> None:
    for seed in range(160):
        compare(random_graph(seed, ALL_OPS, 4), seed)
