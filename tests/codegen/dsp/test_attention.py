"""Attention on cores with DSP, on odd sizes and in the place of its queries."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.attentions import add_attention, attention_graph
from tests.support.dsp_layers import assert_equal_on_dsp, variant_names
from tests.support.graphs import GraphBuilder
from tinyflow.ir import DType, Op, QuantParams, Shape
from tinyflow.ir.ops.attention import AttentionAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.quantize import attach_integers

CASES: tuple[tuple[Shape, Shape, int, int, float], ...] = (
    ((1, 5, 6), (1, 9, 6), 4, 1, 0.1),
    ((1, 3, 2, 8), (1, 262, 8), 8, 2, 0.05),
    ((1, 7, 15), (1, 2, 3, 15), 21, 3, 3.0),
    ((1, 1, 4), (1, 1, 4), 1, 1, 1.0),
    ((1, 2, 3, 36), (1, 7, 36), 2, 2, 0.0),
)


RATIOS = (1e-9, 1e-3, 3.0, 1e3)
"""Scale of the values by scale of the result."""


@pytest.mark.parametrize("target", ["cortex-m4", "cortex-m3", "cortex-m0plus"])
def test_any_sizes_and_scales(target: str, tmp_path: Path) -> None:
    """The kernel for DSP on Cortex-M4, the portable one on the others."""
    builder = GraphBuilder()
    results = [
        add_attention(builder, f"sizes{i}", q, k, columns, AttentionAttrs(heads, scale))
        for i, (q, k, columns, heads, scale) in enumerate(CASES)
    ]
    attrs, sizes = AttentionAttrs(2, 0.3), ((1, 4, 8), (1, 6, 8), 8)
    for i, ratio in enumerate(RATIOS):
        scales = (0.03, 0.03, 0.04, 0.04 / ratio)
        results.append(add_attention(builder, f"scale{i}", *sizes, attrs, scales))
    graph = attach_integers(builder.build(*results))
    assert set(variant_names(graph)) == {"dsp"}
    assert_equal_on_dsp(graph, tmp_path / "bundle", target=target)


def test_portable_where_sizes_or_scales_do_not_suit() -> None:
    narrow = attention_graph((1, 4, 6), (1, 6, 6), 6, AttentionAttrs(2, 0.3))
    assert variant_names(narrow) == ["portable"]
    steep = attention_graph(
        (1, 4, 8), (1, 6, 8), 8, AttentionAttrs(2, 0.3), (0.03, 0.03, 0.04, 0.04 / 1e4)
    )
    assert variant_names(steep) == ["portable"]


@pytest.mark.parametrize("target", ["cortex-m4", "cortex-m3"])
def test_results_in_place_of_queries(target: str, tmp_path: Path) -> None:
    """Attention after attention: of a tensor to itself, to another view of it, and to others,
    with as many channels in the result as in the queries, with more and with fewer."""
    builder = GraphBuilder()
    quants = [QuantParams.per_tensor(0.03, 7), QuantParams.per_tensor(0.02, -40)]
    x = builder.input("x", (1, 3, 3, 12), DType.INT8, quants[0])
    wide = builder.input("wide", (1, 9, 24), DType.INT8, quants[1])
    attrs = AttentionAttrs(2, 0.4)
    y = builder.node(Op.ATTENTION, [x, x, x], attrs, quant=quants[1])
    flat = builder.node(Op.RESHAPE, [y], ReshapeAttrs((1, 9, 12)), quant=quants[1])
    y = builder.node(Op.ATTENTION, [y, flat, flat], attrs, quant=quants[0])
    y = builder.node(Op.ATTENTION, [y, x, wide], AttentionAttrs(4, 0.4), quant=quants[1])
    y = builder.node(Op.ATTENTION, [y, wide, x], attrs, quant=quants[0])
    graph = attach_integers(builder.build(y))
    assert_equal_on_dsp(graph, tmp_path / "bundle", target=target)
