"""Cross-covariance attention on cores with DSP, on odd sizes and in the place of its queries."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.attentions import add_cross_covariance, cross_covariance_graph
from tests.support.dsp_layers import assert_equal_on_dsp, variant_names
from tests.support.graphs import GraphBuilder
from tinyflow.ir import DType, Op, QuantParams, Shape
from tinyflow.ir.ops.cross_covariance import CrossCovarianceAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.quantize import attach_integers

CASES: tuple[tuple[Shape, tuple[float, ...]], ...] = (
    ((1, 9, 15, 12), (1.0, -2.0, 30.0)),
    ((1, 5, 22), (0.0,)),
    ((1, 7, 10), (3.0, 1000.0)),
    ((1, 1, 7), (1.0,)),
    ((1, 130, 9), (7.0,)),
)
RATIOS = (1e-9, 1e-3, 3.0, 1e3)
"""Scale of the values by scale of the result."""


@pytest.mark.parametrize("target", ["cortex-m4", "cortex-m3", "cortex-m0plus"])
def test_any_sizes_and_scales(target: str, tmp_path: Path) -> None:
    """The kernel for DSP on Cortex-M4, the portable one on the others."""
    builder = GraphBuilder()
    results = [
        add_cross_covariance(builder, f"sizes{i}", *case, zeros=(-128, 127, 3, -4))
        for i, case in enumerate(CASES)
    ]
    for i, ratio in enumerate(RATIOS):
        scales = (0.03, 0.03, 0.04, 0.04 / ratio)
        shape = (1, 6, 8)
        results.append(add_cross_covariance(builder, f"scale{i}", shape, (2.0, 4.0), scales))
    graph = attach_integers(builder.build(*results))
    assert set(variant_names(graph)) == {"dsp"}
    assert_equal_on_dsp(graph, tmp_path / "bundle", target=target)


def test_portable_where_heads_are_narrow() -> None:
    assert variant_names(cross_covariance_graph((1, 4, 6), (1.0, 2.0))) == ["portable"]


@pytest.mark.parametrize("target", ["cortex-m4", "cortex-m3"])
def test_results_in_place_of_queries(target: str, tmp_path: Path) -> None:
    """One after the other: of one tensor, of another view of the queries, and of others."""
    builder = GraphBuilder()
    quants = [QuantParams.per_tensor(0.03, 7), QuantParams.per_tensor(0.02, -40)]
    x = builder.input("x", (1, 3, 3, 12), DType.INT8, quants[0])
    temperature = builder.constant("t", np.array([2.0, 9.0], np.float32))
    attrs = CrossCovarianceAttrs(2)
    y = x
    for i in range(3):
        flat = builder.node(Op.RESHAPE, [y], ReshapeAttrs((1, 9, 12)), quant=quants[i % 2])
        whole = builder.node(Op.RESHAPE, [flat], ReshapeAttrs((1, 3, 3, 12)), quant=quants[i % 2])
        operands = [[y, whole, whole], [x, y, x], [y, x, x]][i]
        y = builder.node(
            Op.CROSS_COVARIANCE, [*operands, temperature], attrs, quant=quants[1 - i % 2]
        )
    graph = attach_integers(builder.build(y))
    assert_equal_on_dsp(graph, tmp_path / "bundle", target=target)
