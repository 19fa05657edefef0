"""The spread of channels behind a layer normalization must not reach the quantized network.

Long training leaves gamma and beta with channels that differ by orders of magnitude, and the next
weights with the reverse. Here both are multiplied and divided by lognormal factors: the float
function stays, and the quantized one has to stay with it.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.graphs import GraphBuilder, random_inputs
from tinyflow.ir import Graph, Op, execute
from tinyflow.ir.ops.add import BinaryAttrs
from tinyflow.ir.ops.attention import AttentionAttrs
from tinyflow.ir.ops.depthwise_conv2d import DepthwiseConv2DAttrs
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.passes import run_passes
from tinyflow.quantize import quantize_model, run_reference
from tinyflow.quantize.metrics import agreement, dequantize_outputs, quantize_inputs, sqnr_db

CHANNELS, HIDDEN, CLASSES, BLOCKS = 24, 48, 10, 2
SIGMA = 1.5


def norm(b: GraphBuilder, x: str, spread: np.ndarray, name: str) -> str:
    gamma = b.rng.uniform(0.5, 1.5, CHANNELS) * spread
    beta = b.rng.normal(0, 0.3, CHANNELS) * spread
    constants = [
        b.constant(f"{name}_{kind}", value.astype(np.float32))
        for kind, value in (("gamma", gamma), ("beta", beta))
    ]
    return b.node(Op.LAYER_NORM, [x, *constants], name=name)


def linear(
    b: GraphBuilder, x: str, outputs: int, name: str, spread: np.ndarray | None = None
) -> str:
    inputs = b.tensors[x].shape[-1]
    w = b.rng.normal(0, inputs**-0.5, (outputs, 1, 1, inputs))
    w = w if spread is None else w / spread
    bias = b.random(f"{name}_bias", (outputs,), 0.1)
    return b.node(Op.CONV_2D, [x, b.constant(name, w.astype(np.float32)), bias], name=f"{name}_out")


def hybrid(sigma: float, powers_of_two: bool = False) -> Graph:
    """Two blocks of EdgeNeXt's and of a transformer's parts, after all passes."""
    b = GraphBuilder(seed=5)
    spreads = np.random.default_rng(8).lognormal(0.0, sigma, (2 * BLOCKS, CHANNELS))
    if powers_of_two:
        spreads = 2.0 ** np.rint(np.log2(spreads))
    x = b.input("map", (1, 6, 6, CHANNELS))
    for i in range(BLOCKS):
        taps = b.random(f"taps_{i}", (1, 5, 5, CHANNELS), 0.2)
        padding = ((2, 2), (2, 2))
        y = b.node(Op.DEPTHWISE_CONV_2D, [x, taps], DepthwiseConv2DAttrs(padding=padding))
        y = norm(b, y, spreads[2 * i], f"norm_{i}")
        y = b.node(Op.GELU, [linear(b, y, HIDDEN, f"wide_{i}", spreads[2 * i])])
        x = b.node(Op.ADD, [x, linear(b, y, CHANNELS, f"narrow_{i}")], BinaryAttrs())
        y = norm(b, x, spreads[2 * i + 1], f"before_{i}")
        q, k, v = (linear(b, y, CHANNELS, f"{n}_{i}", spreads[2 * i + 1]) for n in "qkv")
        y = b.node(Op.ATTENTION, [q, k, v], AttentionAttrs(2, (CHANNELS // 2) ** -0.5))
        x = b.node(Op.ADD, [x, linear(b, y, CHANNELS, f"projection_{i}")], BinaryAttrs())
    pooled = b.node(Op.MEAN, [x], MeanAttrs((1, 2)))
    head = [b.random("head", (CLASSES, CHANNELS), 0.5), b.random("head_bias", (CLASSES,))]
    return run_passes(b.build(b.node(Op.FULLY_CONNECTED, [pooled, *head], name="logits")))


def logits(graph: Graph, samples: dict[str, np.ndarray], test: dict[str, np.ndarray]) -> np.ndarray:
    quantized = quantize_model(graph, samples)
    codes = run_reference(quantized, quantize_inputs(quantized, test))
    (values,) = dequantize_outputs(quantized, codes).values()
    return values


def floats(graph: Graph, test: dict[str, np.ndarray]) -> np.ndarray:
    (values,) = execute(graph, test).values()
    return values


def test_the_float_function_is_the_same_and_the_spread_is_large():
    plain, stressed = hybrid(0.0), hybrid(SIGMA)
    test = random_inputs(plain, 8, seed=2)
    assert sqnr_db(floats(plain, test), floats(stressed, test)) > 100.0
    spreads = np.random.default_rng(8).lognormal(0.0, SIGMA, (2 * BLOCKS, CHANNELS))
    assert (spreads.max(axis=1) / spreads.min(axis=1)).min() > 50


def test_factors_that_are_powers_of_two_change_no_code():
    plain, stressed = hybrid(0.0), hybrid(SIGMA, powers_of_two=True)
    samples, test = random_inputs(plain, 24), random_inputs(plain, 16, seed=1)
    assert np.array_equal(logits(plain, samples, test), logits(stressed, samples, test))


@pytest.mark.parametrize("sigma", [1.0, SIGMA])
def test_the_quantized_network_does_not_notice(sigma: float):
    plain, stressed = hybrid(0.0), hybrid(sigma)
    samples, test = random_inputs(plain, 24), random_inputs(plain, 64, seed=1)
    exact = floats(plain, test)
    before, after = logits(plain, samples, test), logits(stressed, samples, test)
    assert sqnr_db(exact, before) > 20.0
    assert abs(sqnr_db(exact, before) - sqnr_db(exact, after)) < 0.5
    assert agreement(before, after).percent > 95.0
