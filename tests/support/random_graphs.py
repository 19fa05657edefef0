"""Random small quantized graphs of every operation, for property tests.

`quantized_graphs` is a hypothesis strategy; `random_graph` grows the same graphs from a seed.
`random_inputs` makes input codes, extreme ones first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.support.draw import Draw, HypothesisDraw, SeededDraw
from tests.support.random_nodes import GROWERS, Growth
from tinyflow.ir import Graph, Op, Rounding
from tinyflow.quantize.attach import attach_integers

ALL_OPS: tuple[Op, ...] = tuple(GROWERS)
"""Every operation that has an integer form."""


def grow_graph(
    draw: Draw,
    ops: Sequence[Op] = ALL_OPS,
    max_nodes: int = 6,
    rounding: Rounding = Rounding.DOUBLE,
) -> Graph:
    """A graph of chains, branches and joins with at least one node of ``ops``.

    Joins may add QUANTIZE nodes. Every tensor that nothing reads is an output; now and then an
    inner one is too.
    """
    growth = Growth(draw)
    for _ in range(draw.integer(1, max_nodes)):
        GROWERS[draw.choice(ops)](growth)
    return attach_integers(growth.build(), rounding)


@st.composite
def quantized_graphs(
    draw: Callable[[Any], Any],
    ops: Sequence[Op] = ALL_OPS,
    max_nodes: int = 6,
    rounding: Rounding = Rounding.DOUBLE,
) -> Graph:
    """Strategy: quantized graphs with integers attached, NHWC, batch 1."""
    return grow_graph(HypothesisDraw(draw), ops, max_nodes, rounding)


def random_graph(
    seed: int,
    ops: Sequence[Op] = ALL_OPS,
    max_nodes: int = 6,
    rounding: Rounding = Rounding.DOUBLE,
) -> Graph:
    """The same without hypothesis; equal seeds give equal graphs."""
    return grow_graph(SeededDraw(seed), ops, max_nodes, rounding)


def random_inputs(graph: Graph, n: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Input codes [n, ...]: all lowest, all highest, both mixed, then uniform ones."""
    rng = np.random.default_rng(seed)
    inputs = {}
    for name in graph.inputs:
        tensor = graph.tensors[name]
        info = np.iinfo(tensor.dtype.numpy)
        shape = tensor.shape[1:]
        codes = rng.integers(info.min, info.max + 1, (n, *shape), dtype=tensor.dtype.numpy)
        extremes = rng.choice(np.array([info.min, info.max], dtype=tensor.dtype.numpy), shape)
        for sample, value in enumerate((info.min, info.max, extremes)[:n]):
            codes[sample] = value
        inputs[name] = codes
    return inputs
