"""Layers without weights on cores with DSP: products, tables and softmax."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.dsp_layers import assert_equal_on_dsp, variant_names
from tests.support.graphs import GraphBuilder
from tinyflow.codegen.c.dsp.words.exponentials import exp_of_negative
from tinyflow.codegen.c.dsp.words.softmax import powers
from tinyflow.ir import NO_CLAMP, OPS, Clamp, DType, Graph, Op, QuantParams, Rounding, Shape
from tinyflow.ir.ops.broadcast import BinaryAttrs
from tinyflow.ir.ops.softmax import WIDE_OUTPUT, SoftmaxAttrs
from tinyflow.quantize import attach_integers, transcendental
from tinyflow.quantize.fixed_point import requantize_by

CODES = np.arange(-128, 128).astype(np.int8)


A, B = QuantParams.per_tensor(0.031, 5), QuantParams.per_tensor(0.017, -128)


FACTOR = A.scale * B.scale
MULS = (
    (0.041, (3, -128, -20), NO_CLAMP),
    (0.07, (-128, -128, -128), NO_CLAMP),
    (0.031, (127, 5, 0), Clamp(-0.5, 1.5)),
    (FACTOR * 2, (0, 0, 1), NO_CLAMP),
    (FACTOR / 20, (4, 0, 1), NO_CLAMP),
    (40.0, (-128, 127, 0), NO_CLAMP),
)


@pytest.mark.parametrize("rounding", Rounding)
def test_products_of_all_pairs_of_codes(rounding: Rounding, tmp_path: Path) -> None:
    """Short forms of several kinds, ties, left shifts, and results that are all one code."""
    builder, outputs, inputs = GraphBuilder(), [], {}
    a, b = np.broadcast_arrays(CODES[:, None], CODES)
    for i, (scale, zeros, clamp) in enumerate(MULS):
        for name, like, zero, codes in (("a", A, zeros[0], a), ("b", B, zeros[1], b)):
            quant = QuantParams.per_tensor(like.scale, zero)
            builder.input(f"{name}{i}", (1, 256, 256), DType.INT8, quant)
            inputs[f"{name}{i}"] = codes[None]
        quant = QuantParams.per_tensor(scale, zeros[2])
        operands = [f"a{i}", f"b{i}"]
        outputs.append(builder.node(Op.MUL, operands, BinaryAttrs(clamp), quant=quant))
    graph = attach_integers(builder.build(*outputs), rounding)
    assert set(variant_names(graph)) == {"dsp"}
    assert_equal_on_dsp(graph, tmp_path / "bundle", inputs=inputs)


SHAPES: tuple[tuple[Shape, Shape], ...] = (
    ((1, 3, 5, 7), (1, 3, 5, 7)),
    ((1, 3, 4, 9), (1, 1, 1, 9)),
    ((1, 1, 1, 8), (1, 3, 4, 8)),
    ((1, 3, 4, 6), (1, 3, 4, 1)),
    ((1, 3, 4, 6), (1, 3, 1, 6)),
    ((1, 3, 4, 6), (1, 1, 4, 1)),
    ((1, 3, 5, 1), (1, 3, 1, 1)),
    ((1, 1, 1, 1), (1, 2, 3, 3)),
    ((1, 5, 6), (1, 1, 6)),
    ((1, 13), (1, 13)),
)


def mul_graph(shapes: Sequence[tuple[Shape, Shape]]) -> Graph:
    builder, outputs = GraphBuilder(), []
    quant = QuantParams.per_tensor(0.04, -30)
    for i, (a, b) in enumerate(shapes):
        operands = [builder.input(f"a{i}", a, DType.INT8, A)]
        operands.append(builder.input(f"b{i}", b, DType.INT8, B))
        outputs.append(builder.node(Op.MUL, operands, BinaryAttrs(), quant=quant))
    return attach_integers(builder.build(*outputs))


def test_broadcasting(tmp_path: Path) -> None:
    graph = mul_graph(SHAPES)
    assert set(variant_names(graph)) == {"dsp"}
    assert_equal_on_dsp(graph, tmp_path / "bundle")


@pytest.mark.parametrize("a, b", [((1, 3, 1, 8), (1, 1, 4, 8)), ((1, 2, 3, 3), (1, 1, 1, 3))])
def test_two_broadcast_operands_and_short_runs_stay_portable(a: Shape, b: Shape) -> None:
    assert variant_names(mul_graph([(a, b)])) == ["portable"]


def test_products_in_place(tmp_path: Path) -> None:
    """A square, then a gate on either side."""
    builder = GraphBuilder()
    quant = [QuantParams.per_tensor(0.03 * 1.2**i, 7 - 40 * i) for i in range(3)]
    builder.input("x", (1, 3, 3, 6), DType.INT8, quant[0])
    builder.input("gate", (1, 1, 1, 6), DType.INT8, quant[1])
    y = builder.node(Op.MUL, ["x", "x"], BinaryAttrs(), quant=quant[1])
    z = builder.node(Op.MUL, ["gate", y], BinaryAttrs(), quant=quant[2])
    w = builder.node(Op.MUL, [z, "gate"], BinaryAttrs(), quant=quant[0])
    graph = attach_integers(builder.build(w))
    assert variant_names(graph) == ["dsp"] * 3
    assert_equal_on_dsp(graph, tmp_path / "bundle")


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (1, 2, 4, 5), (1, 16, 16)])
def test_tables(shape: Shape, tmp_path: Path) -> None:
    """Both byte types on either side, less than a turn of the loop, whole turns and a rest."""
    builder = GraphBuilder()
    signed, unsigned = QuantParams.per_tensor(0.03, 9), QuantParams.per_tensor(0.025, 131)
    builder.input("u", shape, DType.UINT8, unsigned)
    builder.input("x", shape, DType.INT8, signed)
    tanh = OPS[Op.TANH].output_params
    y = builder.node(Op.TANH, ["x"], quant=tanh)
    z = builder.node(Op.TANH, [y], quant=tanh)
    v = builder.node(Op.QUANTIZE, ["u"], quant=QuantParams.per_tensor(0.05, -3))
    w = builder.node(Op.QUANTIZE, ["x"], quant=QuantParams.per_tensor(0.04, 100))
    for name, dtype in ((v, DType.INT8), (w, DType.UINT8)):
        builder.tensors[name] = replace(builder.tensors[name], dtype=dtype)
    graph = attach_integers(builder.build(y, z, v, w))
    assert variant_names(graph) == ["dsp"] * 4
    assert_equal_on_dsp(graph, tmp_path / "bundle")


def softmax_graph(shape: Shape, scale: float, rounding: Rounding = Rounding.DOUBLE) -> Graph:
    builder = GraphBuilder()
    builder.input("x", shape, DType.INT8, QuantParams.per_tensor(scale, 3))
    out = OPS[Op.SOFTMAX].output_params
    y = builder.node(Op.SOFTMAX, ["x"], SoftmaxAttrs(), quant=out)
    return attach_integers(builder.build(y), rounding)


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("scale", (0.00003, 0.004, 0.0625, 0.13, 1.0, 6.0, 200.0))
def test_powers_are_those_of_the_reference(scale: float, rounding: Rounding) -> None:
    """All that count; the last one is none."""
    (node,) = softmax_graph((1, 4), scale, rounding).nodes
    form: Any = node.integer
    table = powers(form, rounding)
    below = np.arange(min(256, 1 - form.diff_min))
    expected = transcendental.exp_of_negative(requantize_by(-below, form.input, rounding), 5)
    full = len(table) == 256
    kept = len(table) if full else len(table) - 1
    np.testing.assert_array_equal(table[:kept], expected[:kept])
    assert full or table[-1] == 0
    assert (expected[kept:] < 2**11).all()


def test_exponential_equals_the_reference() -> None:
    x = -np.random.default_rng(4).integers(0, 2**31, 3000)
    x[:40] = -np.arange(40) * 2**24
    expected = transcendental.exp_of_negative(x, 5)
    np.testing.assert_array_equal([exp_of_negative(int(value)) for value in x], expected)


SOFTMAXES: tuple[tuple[Shape, float], ...] = (
    ((1, 1), 0.1),
    ((1, 3), 0.02),
    ((1, 4), 0.3),
    ((1, 4, 3, 5), 0.07),
    ((1, 6, 10), 0.13),
    ((1, 2, 33), 0.004),
    ((1, 1000), 0.05),
)


def test_softmax(tmp_path: Path) -> None:
    builder, outputs, inputs = GraphBuilder(), [], {}
    rng = np.random.default_rng(6)
    for i, (shape, scale) in enumerate(SOFTMAXES):
        builder.input(f"x{i}", shape, DType.INT8, QuantParams.per_tensor(scale, 3))
        out = OPS[Op.SOFTMAX].output_params
        outputs.append(builder.node(Op.SOFTMAX, [f"x{i}"], SoftmaxAttrs(), quant=out))
        x = rng.integers(-128, 128, (6, *shape[1:]), dtype=np.int8)
        # Sums that are a power of two, the largest ones, and one code far above the others.
        x[0] = -128
        x[1] = 127
        x[2] = -128
        x[2, ..., -1] = 127
        x[3] = np.clip(x[3], 100, 127)
        inputs[f"x{i}"] = x
    graph = attach_integers(builder.build(*outputs))
    assert set(variant_names(graph)) == {"dsp"}
    assert_equal_on_dsp(graph, tmp_path / "bundle", inputs=inputs)


@pytest.mark.slow
@pytest.mark.parametrize("target", ["cortex-m4", "cortex-m0plus"])
def test_softmax_of_16_bits(target: str, tmp_path: Path) -> None:
    """With sums of every size: the first and the last bit of a code count."""
    builder, outputs, inputs = GraphBuilder(), [], {}
    rng = np.random.default_rng(8)
    for i, (shape, scale) in enumerate(SOFTMAXES):
        builder.input(f"x{i}", shape, DType.INT8, QuantParams.per_tensor(scale, 3))
        name = builder.node(Op.SOFTMAX, [f"x{i}"], SoftmaxAttrs(), quant=WIDE_OUTPUT)
        builder.tensors[name] = replace(builder.tensors[name], dtype=DType.INT16)
        outputs.append(name)
        x = rng.integers(-128, 128, (5, *shape[1:]), dtype=np.int8)
        x[0], x[1] = 127, -128
        x[1, ..., -1] = 127
        inputs[f"x{i}"] = x
    graph = attach_integers(builder.build(*outputs))
    assert set(variant_names(graph)) == {"dsp"}
    assert_equal_on_dsp(graph, tmp_path / "bundle", inputs=inputs, target=target)
