"""Running the integer reference: batches, observation, refused inputs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from tests.support.random_graphs import quantized_graphs, random_graph, random_inputs
from tinyflow.errors import DataError
from tinyflow.ir import Op
from tinyflow.quantize.reference import run_reference, run_reference_batched


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(quantized_graphs())
def test_a_batch_is_its_samples_one_by_one(graph):
    inputs = random_inputs(graph, 4)
    seen: dict[str, np.ndarray] = {}
    together = run_reference(graph, inputs, lambda name, array: seen.update({name: array}))
    assert set(seen) == {*graph.inputs, *(node.output for node in graph.nodes)}
    for node in graph.nodes:
        tensor, array = graph.result(node), seen[node.output]
        assert array.dtype == tensor.dtype.numpy and array.shape == (4, *tensor.shape[1:])
    for sample in range(4):
        one = {name: array[sample : sample + 1] for name, array in inputs.items()}
        for name, array in run_reference(graph, one).items():
            np.testing.assert_array_equal(array, together[name][sample : sample + 1])
    for name, array in run_reference_batched(graph, inputs, batch_size=3).items():
        np.testing.assert_array_equal(array, together[name])


def test_equal_seeds_grow_equal_graphs():
    assert str(random_graph(5)) == str(random_graph(5)) != str(random_graph(6))


def test_inputs_are_left_alone():
    graph = random_graph(3, (Op.CONV_2D, Op.CLAMP))
    inputs = random_inputs(graph, 2)
    copies = {name: array.copy() for name, array in inputs.items()}
    run_reference(graph, inputs)
    for name, array in inputs.items():
        np.testing.assert_array_equal(array, copies[name])


def test_unfit_inputs_are_refused():
    graph = random_graph(1, (Op.CONV_2D,), 1)
    (name,) = graph.inputs
    codes = random_inputs(graph, 2)[name]
    with pytest.raises(DataError, match=f"the input '{name}' is missing"):
        run_reference(graph, {})
    with pytest.raises(DataError, match=f"the input '{name}' is float32"):
        run_reference(graph, {name: codes.astype(np.float32)})
    with pytest.raises(DataError, match="the model takes int8"):
        run_reference(graph, {name: codes[..., :0]})
