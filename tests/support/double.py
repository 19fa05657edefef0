"""Float graphs in double precision, so that what passes compute can be held to 1e-9."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.support.graphs import random_inputs
from tinyflow.ir import DType, Graph, Tensor, check_graph, execute


def in_double(graph: Graph) -> Graph:
    """The same graph with float64 in place of float32: passes round nothing in it."""
    tensors = {name: _widened(t) for name, t in graph.tensors.items()}
    return replace(graph, tensors=tensors)


def _widened(tensor: Tensor) -> Tensor:
    if tensor.dtype is not DType.FLOAT32:
        return tensor
    data = None if tensor.data is None else tensor.data.astype(np.float64)
    return replace(tensor, dtype=DType.FLOAT64, data=data)


def assert_exact(
    actual: Graph, expected: Graph, batch: int = 2, tolerance: float = 1e-9, scale: float = 1.0
) -> None:
    """In float64 both compute the same from normal deviates, relative to the largest output."""
    check_graph(actual, after="the passes under test")
    inputs = {n: scale * x for n, x in random_inputs(expected, batch).items()}
    mine = execute(actual, {n: inputs[n] for n in actual.inputs}, dtype=np.float64)
    other = execute(expected, inputs, dtype=np.float64)
    for a, e in zip(actual.outputs, expected.outputs, strict=True):
        assert np.isfinite(other[e]).all()
        error = np.max(np.abs(mine[a] - other[e])) / max(float(np.max(np.abs(other[e]))), 1e-30)
        assert error < tolerance, f"'{e}' differs by {error:.2e}"
