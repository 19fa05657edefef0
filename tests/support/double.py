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


def assert_exact(actual: Graph, expected: Graph, batch: int = 2, tolerance: float = 1e-9) -> None:
    """In float64 both compute the same from normal deviates, relative to the largest output.

    Their inputs and outputs may stand in different layouts.
    """
    check_graph(actual, after="the passes under test")
    inputs = random_inputs(expected, batch)
    other = execute(expected, inputs, dtype=np.float64)
    moved = {
        n: _moved(x, expected.layouts.get(n), actual.layouts.get(n)) for n, x in inputs.items()
    }
    mine = execute(actual, moved, dtype=np.float64)
    for a, e in zip(actual.outputs, expected.outputs, strict=True):
        wanted = _moved(other[e], expected.layouts.get(e), actual.layouts.get(a))
        assert np.isfinite(wanted).all()
        error = np.max(np.abs(mine[a] - wanted)) / max(float(np.max(np.abs(wanted))), 1e-30)
        assert error < tolerance, f"'{e}' differs by {error:.2e}"


def _moved(
    x: np.ndarray, stored: tuple[int, ...] | None, wanted: tuple[int, ...] | None
) -> np.ndarray:
    """From one layout to another."""
    source = x if stored is None else x.transpose(np.argsort(stored))
    return source if wanted is None else source.transpose(wanted)
