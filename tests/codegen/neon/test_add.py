"""Sums by vectors, for all pairs of codes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.graphs import GraphBuilder
from tests.support.linux_arm import needs_linux_arm
from tests.support.neon_layers import (
    NANO,
    assert_equal_with_vectors,
    sums_graph,
    variant_names,
)
from tinyflow.ir import NO_CLAMP, DType, Op, QuantParams, Rounding
from tinyflow.ir.ops.broadcast import BinaryAttrs
from tinyflow.quantize import attach_integers

pytestmark = needs_linux_arm

VECTORS = {"vectors of sums"}


@pytest.mark.parametrize("rounding", Rounding)
def test_all_pairs_of_codes(tmp_path: Path, rounding: Rounding) -> None:
    graph = sums_graph(12, (1, 256, 256, 1), rounding, 5)
    assert variant_names(graph) == VECTORS
    codes = np.arange(-128, 128).astype(np.int8)
    first, second = (x[None, ..., None] for x in np.broadcast_arrays(codes[:, None], codes))
    inputs = {name: first if name.startswith("a") else second for name in graph.inputs}
    assert_equal_with_vectors(graph, tmp_path, inputs=inputs)


def test_rows_that_are_no_whole_vectors(tmp_path: Path) -> None:
    for i, shape in enumerate([(1, 3, 5, 3), (1, 7), (1, 4, 4), (1, 2, 3, 2)]):
        graph = sums_graph(2, shape, Rounding.DOUBLE, i)
        assert variant_names(graph) == VECTORS
        assert_equal_with_vectors(graph, tmp_path / str(i), cores=[NANO], here=i == 0)


def test_operands_that_are_repeated_and_short_rows_stay_portable() -> None:
    builder = GraphBuilder()
    quant = QuantParams.per_tensor(0.03, 4)
    x = builder.input("a", (1, 3, 3, 4), DType.INT8, quant)
    y = builder.input("b", (1, 1, 1, 4), DType.INT8, quant)
    z = builder.input("c", (1, 3, 1, 3), DType.INT8, quant)
    sums = [
        builder.node(Op.ADD, (x, y), BinaryAttrs(NO_CLAMP), "repeated", quant),
        builder.node(Op.ADD, (z, z), BinaryAttrs(NO_CLAMP), "short", quant),
    ]
    assert variant_names(attach_integers(builder.build(*sums), Rounding.DOUBLE)) == {"portable"}
