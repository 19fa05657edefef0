"""Inputs in batches for comparisons that hold every tensor of a graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from tinyflow.ir import Graph, batches

_BYTES = 32 << 20


def tensor_batches(
    graph: Graph, codes: Mapping[str, np.ndarray]
) -> Iterator[dict[str, np.ndarray]]:
    """The inputs ``codes`` [n, ...] in parts [m, ...], of which all activations of the graph take
    a bounded number of bytes together."""
    each = sum(t.nbytes for t in graph.tensors.values() if not t.is_constant)
    return batches(codes, max(1, _BYTES // max(each, 1)))
