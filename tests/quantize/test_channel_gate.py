"""CHANNEL_GATE in integers is within a rounding of float64, for every pair of codes."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.graphs import GraphBuilder
from tests.support.integer_layers import LayerBuilder, assert_same_integers
from tests.support.random_graphs import random_inputs
from tinyflow.errors import UnsupportedError
from tinyflow.ir import DType, Graph, Op, QuantParams, Shape
from tinyflow.ir.ops.channel_gate import ChannelGateAttrs, evaluate
from tinyflow.ir.ops.hard_sigmoid import HardSigmoidAttrs
from tinyflow.quantize import channel_ranges, remove_dead_channels
from tinyflow.quantize.attach import attach_integers
from tinyflow.quantize.reference import run_reference

Q = QuantParams.per_tensor
GATE = Q(1 / 256, -128)
CODES = np.arange(-128, 128)


def gate_graph(
    factors: tuple[np.ndarray, np.ndarray],
    x: QuantParams,
    gate: QuantParams,
    y: QuantParams,
    residual: bool = False,
    shape: Shape = (1, 256, 1, 256),
) -> Graph:
    b = GraphBuilder()
    operands = [
        b.input("x", shape, DType.INT8, x),
        b.input("gate", (1, shape[-1]), DType.INT8, gate),
        *(b.constant(n, f.astype(np.float32)) for n, f in zip(("a", "b"), factors, strict=True)),
    ]
    attrs = ChannelGateAttrs(residual)
    return attach_integers(b.build(b.node(Op.CHANNEL_GATE, operands, attrs, "se", y)))


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("zero", [-128, 0, 101])
@pytest.mark.parametrize("gate", [GATE, Q(0.013, 20)])
def test_error_is_that_of_one_rounding(gate, zero, residual):
    """Rows are codes of x, channels codes of the gate; factors of either sign, and large ones."""
    x = Q(0.04, zero)
    for factor, shift, out in ((1, 0, 0.05), (-0.3, 2, 0.04), (7, -30, 0.4), (1e-4, 1, 0.02)):
        factors = np.full(256, factor), np.full(256, shift)
        y = Q(out * 256 * gate.scale, -30)
        graph = gate_graph(factors, x, gate, y, residual)
        codes = np.broadcast_to(CODES[:, None, None], (256, 1, 256))
        found = run_reference(
            graph, {"x": codes[None].astype(np.int8), "gate": CODES[None].astype(np.int8)}
        )["se:0"]
        exact = evaluate(
            graph.nodes[0].attrs,
            (codes[None] - zero) * np.float64(x.scale),
            (CODES[None] - gate.zero_point) * np.float64(gate.scale),
            *(f.astype(np.float32).astype(np.float64) for f in factors),
        )
        exact = np.clip(exact / y.scale + y.zero_point, -128, 127)
        assert np.abs(found - exact).max() <= 0.51


def test_a_channel_that_is_constant_goes_with_its_factors():
    """Its factors shut it for good, and only the gate reads it."""
    b = LayerBuilder()
    first = b.conv(b.image("x", (1, 3, 3, 2)), b.weights((4, 1, 1, 2)), b.biases(4), "first")
    linear = b.dense(b.image("context", (1, 5)), b.weights((4, 5)), b.biases(4), "linear")
    gate = b.node(Op.HARD_SIGMOID, [linear], HardSigmoidAttrs(), "gate", GATE)
    factors = np.array([1.0, 0.0, 2.0, 0.5]), np.array([0.5, 0.0, -0.1, 0.3])
    names = [b.constant(n, f.astype(np.float32)) for n, f in zip("ab", factors, strict=True)]
    gated = b.node(Op.CHANNEL_GATE, [first, gate, *names], ChannelGateAttrs(), "se", Q(0.05, -20))
    graph = b.finish(b.conv(gated, b.weights((3, 1, 1, 4)), b.biases(3), "last"))
    assert channel_ranges(graph)[gated].constant.tolist() == [False, True, False, False]

    removal = remove_dead_channels(graph)
    assert removal.kept[gated].tolist() == removal.kept[gate].tolist() == [0, 2, 3]
    assert_same_integers(removal.graph, attach_integers(removal.graph))
    inputs = random_inputs(graph, 20)
    (expected,), (found,) = (run_reference(g, inputs).values() for g in (graph, removal.graph))
    np.testing.assert_array_equal(found, expected)


def test_too_fine_an_output_is_refused():
    factors = np.ones(2), np.ones(2)
    with pytest.raises(UnsupportedError, match="se: its output scale 1e-05 is too small"):
        gate_graph(factors, Q(0.1, 0), GATE, Q(1e-5, 0), shape=(1, 1, 1, 2))
