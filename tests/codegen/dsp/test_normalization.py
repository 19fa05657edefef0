"""Layer and L2 normalizations and channel gates on cores with DSP."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.dsp_layers import assert_equal_on_dsp, variant_names
from tests.support.graphs import GraphBuilder
from tinyflow.ir import OPS, DType, Graph, Op, QuantParams, Rounding, Shape
from tinyflow.ir.ops.channel_gate import ChannelGateAttrs
from tinyflow.ir.ops.l2_norm import L2NormAttrs
from tinyflow.ir.ops.layer_norm import LayerNormAttrs
from tinyflow.quantize import attach_integers

Q = QuantParams.per_tensor
EPSILONS = (1e-5, 1e-12, 10.0)


def layer_norms(shapes: list[tuple[Shape, int]]) -> Graph:
    """One for each shape, with so many parameters."""
    b, outputs = GraphBuilder(), []
    for i, (shape, count) in enumerate(shapes):
        operands = [b.input(f"x{i}", shape, DType.INT8, Q(0.03, 5))]
        for j, mean in enumerate((1.0, 0.0)[:count]):
            values = mean + b.rng.normal(0, 0.5, shape[-1])
            operands.append(b.constant(f"p{i}_{j}", values.astype(np.float32)))
        attrs = LayerNormAttrs(EPSILONS[i % 3])
        outputs.append(b.node(Op.LAYER_NORM, operands, attrs, f"norm{i}", Q(0.025, -9)))
    return attach_integers(b.build(*outputs))


def rows_of_all_kinds(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """Samples of a spread from none to all codes, and of one code that differs by 1."""
    samples = [np.rint(rng.normal(60, 2.0**k, shape[1:])) for k in range(-3, 8, 2)]
    samples += [np.full(shape[1:], 77), rng.choice([-128, 127], shape[1:])]
    samples.append(np.full(shape[1:], -128))
    samples[-1][..., -1] = -127
    return np.clip(np.stack(samples), -128, 127).astype(np.int8)


SHAPES: list[tuple[Shape, int]] = [
    ((1, 4, 3, 24), 0),
    ((1, 7, 33), 0),
    ((1, 2, 1), 0),
    ((1, 5, 6, 7), 2),
    ((1, 3, 48), 1),
    ((1, 2, 1029), 0),
    ((1, 130), 2),
    ((1, 3, 24), 0),
    ((1, 3, 15), 0),
    ((1, 2, 2, 16), 2),
]


@pytest.mark.slow
def test_layer_norms(tmp_path: Path) -> None:
    """Whole turns of the loops and rests, of every variance that has its own normalization."""
    graph = layer_norms(SHAPES)
    assert set(variant_names(graph)) == {"dsp"}
    rng = np.random.default_rng(3)
    inputs = {f"x{i}": rows_of_all_kinds(shape, rng) for i, (shape, _) in enumerate(SHAPES)}
    assert_equal_on_dsp(graph, tmp_path / "bundle", inputs=inputs)


def rows_of_all_sums(shape: Shape, zero: int, rng: np.random.Generator) -> np.ndarray:
    """Samples of no sum of squares, of 1, of every power of 2, and of the largest."""
    samples = [np.rint(zero + rng.normal(0, 2.0**k, shape[1:])) for k in np.arange(-3, 8.5, 0.5)]
    samples += [np.full(shape[1:], code) for code in (zero, -128, 127)]
    samples.append(samples[-3].copy())
    samples[-1][..., -1] += 1 if zero < 127 else -1
    return np.clip(np.stack(samples), -128, 127).astype(np.int8)


@pytest.mark.slow
@pytest.mark.parametrize("rounding", Rounding)
def test_l2_norms(tmp_path: Path, rounding: Rounding) -> None:
    """Whole turns of the loops and rests, rows that are not aligned, in place or not, sums that
    are rounded once and twice."""
    shapes: list[tuple[Shape, int]] = [
        ((1, 4, 3, 24), 3),
        ((1, 5, 33), -128),
        ((1, 3, 1), 127),
        ((1, 3, 2, 7), -5),
        ((1, 2, 1029), -128),
        ((1, 2, 4000), 127),
        ((1, 2, 15), 0),
    ]
    b, outputs, inputs = GraphBuilder(), [], {}
    for i, (shape, zero) in enumerate(shapes):
        x = b.input(f"x{i}", shape, DType.INT8, Q(0.03, zero))
        for j in range(2):
            x = b.node(Op.L2_NORM, [x], L2NormAttrs(), f"l2_{i}_{j}", OPS[Op.L2_NORM].output_params)
        outputs.append(x)
        inputs[f"x{i}"] = rows_of_all_sums(shape, zero, b.rng)
    graph = attach_integers(b.build(*outputs), rounding)
    assert set(variant_names(graph)) == {"dsp"}
    assert_equal_on_dsp(graph, tmp_path / "bundle", inputs=inputs)


@pytest.mark.slow
def test_gates(tmp_path: Path) -> None:
    """Odd and even numbers of pixels, channels that fill words or do not, in place or not."""
    b, outputs = GraphBuilder(), []
    shapes: list[Shape] = [(1, 3, 5, 8), (1, 4, 4, 13), (1, 6, 7), (1, 1, 1, 4), (1, 2, 9, 21)]
    for i, shape in enumerate(shapes):
        channels = shape[-1]
        y = b.input(f"x{i}", shape, DType.INT8, Q(0.03, 5 * i - 9))
        gate = b.input(f"gate{i}", (1, 1, 1, channels), DType.INT8, Q(1 / 256, -128))
        for j in range(2):
            factors = [b.rng.normal(m, 1.5, channels).astype(np.float32) for m in (1.0, 0.0)]
            names = [b.constant(f"c{i}_{j}_{k}", f) for k, f in enumerate(factors)]
            attrs = ChannelGateAttrs(residual=j == i % 2)
            y = b.node(Op.CHANNEL_GATE, [y, gate, *names], attrs, f"se{i}_{j}", Q(0.05, 3 - 20 * i))
        outputs.append(y)
    graph = attach_integers(b.build(*outputs))
    assert set(variant_names(graph)) == {"dsp"}
    assert_equal_on_dsp(graph, tmp_path / "bundle")


def test_a_gate_of_fewer_channels_than_a_word_stays_portable() -> None:
    b = GraphBuilder()
    operands = [b.input("x", (1, 2, 2, 3), DType.INT8, Q(0.03))]
    operands.append(b.input("gate", (1, 3), DType.INT8, Q(1 / 256, -128)))
    operands += [b.constant(name, np.ones(3, np.float32)) for name in ("a", "b")]
    y = b.node(Op.CHANNEL_GATE, operands, ChannelGateAttrs(), "se", Q(0.05))
    assert variant_names(attach_integers(b.build(y))) == ["portable"]
