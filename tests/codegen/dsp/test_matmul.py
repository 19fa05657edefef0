"""Products of two activations on cores with DSP, and the portable kernel on the same layers."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.support.dsp_layers import DSP, assert_equal_on_dsp, variant_names
from tests.support.graphs import GraphBuilder
from tinyflow.codegen.c import Goal, choose_variants
from tinyflow.codegen.c.variants import table_for
from tinyflow.ir import DType, Graph, Op, QuantParams, Rounding, Shape
from tinyflow.ir.ops.matmul import MatmulAttrs
from tinyflow.quantize import attach_integers

ZEROS = ((5, -7, 3), (-128, 127, -128), (127, -128, 20), (0, 0, 0))
FLAGS = tuple(itertools.product((False, True), repeat=2))
SHAPES = (  # leading axes, m, k, p
    ((1,), 5, 4, 3),
    ((1,), 1, 1, 1),
    ((1,), 4, 9, 6),
    ((1, 2), 3, 7, 5),
    ((1, 3), 2, 8, 2),
    ((1, 1), 6, 18, 1),
)


def products(layers: Sequence[tuple[Shape, int, int, int]], attrs: MatmulAttrs) -> GraphBuilder:
    """Each with operands of its own; the sums reach beyond the codes on both sides."""
    builder = GraphBuilder()
    for i, (lead, m, k, p) in enumerate(layers):
        zeros = ZEROS[i % len(ZEROS)]
        shapes = [(*lead, k, m) if attrs.transpose_a else (*lead, m, k)]
        shapes.append((*lead, p, k) if attrs.transpose_b else (*lead, k, p))
        for role, shape, scale, zero in zip("ab", shapes, (0.031, 0.017), zeros, strict=False):
            quant = QuantParams.per_tensor(scale, zero)
            builder.input(f"{role}{i}", shape, DType.INT8, quant)
        # The third one's factor is above 1, others are of short and of generic forms.
        scale = 0.0002 if i == 2 else 0.04 * k**0.5
        quant = QuantParams.per_tensor(scale, zeros[2])
        builder.node(Op.MATMUL, [f"a{i}", f"b{i}"], attrs, quant=quant)
    return builder


def built(builder: GraphBuilder, rounding: Rounding = Rounding.DOUBLE) -> Graph:
    outputs = [node.output for node in builder.nodes]
    return attach_integers(builder.build(*outputs), rounding)


@pytest.mark.parametrize("target", ["cortex-m4", "cortex-m3"])
@pytest.mark.parametrize("transpose_a, transpose_b", FLAGS)
def test_any_layout(target: str, transpose_a: bool, transpose_b: bool, tmp_path: Path) -> None:
    graph = built(products(SHAPES, MatmulAttrs(transpose_a, transpose_b)))
    assert set(variant_names(graph)) == {"dsp"}
    assert_equal_on_dsp(graph, tmp_path / "bundle", target=target)


def test_one_rounding(tmp_path: Path) -> None:
    graph = built(products(SHAPES[2:5], MatmulAttrs(False, True)), Rounding.SINGLE)
    assert_equal_on_dsp(graph, tmp_path / "bundle")


def test_results_in_place_of_operands(tmp_path: Path) -> None:
    """Squares of matrices one after the other: operands that are one tensor, dying or not."""
    builder, ends = GraphBuilder(), []
    quants = [QuantParams.per_tensor(0.03, 7), QuantParams.per_tensor(0.09, -40)]
    for name, shape in (("x", (1, 6, 6)), ("heads", (1, 3, 5, 5))):
        y = builder.input(name, shape, DType.INT8, quants[0])
        for i, flags in enumerate(FLAGS):
            y = builder.node(Op.MATMUL, [y, y], MatmulAttrs(*flags), quant=quants[i % 2])
            z = builder.node(Op.TANH, [y], quant=QuantParams.per_tensor(1 / 128, 0))
            y = builder.node(Op.MATMUL, [z, y], MatmulAttrs(*flags), quant=quants[i % 2])
        ends.append(y)
    assert_equal_on_dsp(attach_integers(builder.build(*ends)), tmp_path / "bundle")


def test_a_constant_operand(tmp_path: Path) -> None:
    builder, rng = GraphBuilder(), np.random.default_rng(3)
    quant = QuantParams.per_tensor(0.04, -9)
    x = builder.input("x", (1, 2, 3, 5), DType.INT8, quant)
    codes = rng.integers(-128, 128, (1, 2, 5, 4), dtype=np.int8)
    w = builder.constant("w", codes, quant)
    y = builder.node(Op.MATMUL, [x, w], MatmulAttrs(), quant=QuantParams.per_tensor(0.1, 11))
    builder.node(Op.MATMUL, [w, y], MatmulAttrs(transpose_b=True), quant=quant)
    assert_equal_on_dsp(built(builder), tmp_path / "bundle")


@pytest.mark.parametrize("goal", [Goal.SPEED, Goal.BALANCED])
def test_the_scratch_is_worth_its_bytes_where_columns_serve_many_lines(goal: Goal) -> None:
    graph = built(products([((1,), 40, 24, 40), ((1,), 1, 64, 32)], MatmulAttrs()))
    choices = choose_variants(graph, DSP, goal, table_for(DSP).cost)
    assert [choices[node.name].name for node in graph.nodes] == ["dsp", "portable"]
