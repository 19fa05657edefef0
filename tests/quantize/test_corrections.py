"""Range choice by the reading layer's error, and bias correction."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.graphs import GraphBuilder, random_inputs
from tinyflow.ir import RELU, Op, execute
from tinyflow.ir.ops.concat import ConcatAttrs
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.quantize.bias_correction import RoundedNetwork, correct_biases
from tinyflow.quantize.choose_ranges import choose_ranges
from tinyflow.quantize.ranges import Range
from tinyflow.quantize.shared_scales import scale_groups
from tinyflow.quantize.simulate import simulate
from tinyflow.quantize.weights import quantize_weights


def chooser(weights: list[float]):
    """Two features, the second one large and rare; a layer reads them with these weights."""
    b = GraphBuilder()
    w = b.constant("w", np.float32([weights]))
    graph = b.build(b.node(Op.FULLY_CONNECTED, [b.input("x", (1, 2)), w]))
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, size=(400, 2)).astype(np.float32)
    x[:, 1] = np.where(rng.random(400) < 0.02, 50.0, 0.0)
    ranges = ((Range(0, 50), Range(0, 1)), (Range(-60, 60),))
    return graph, {"x": x}, scale_groups(graph), ranges


def test_the_range_follows_what_the_reader_looks_at():
    assert choose_ranges(*chooser([1.0, 0.001]))[0] == Range(0, 1)
    assert choose_ranges(*chooser([1.0, 1.0]))[0] == Range(0, 50)


def test_equal_candidates_resolve_to_the_first():
    graph, data, groups, _ = chooser([1.0, 1.0])
    wide = ((Range(0, 50), Range(0, 50)), (Range(-60, 60),))
    assert choose_ranges(graph, data, groups, wide)[0] is wide[0][0]


def test_readers_behind_a_shared_scale_count():
    b = GraphBuilder()
    x = b.input("x", (1, 2))
    joined = b.node(Op.CONCAT, [x, x], ConcatAttrs(1))
    w = b.constant("w", np.float32([[0.0, 0.0, 1.0, 0.001]]))
    graph = b.build(b.node(Op.FULLY_CONNECTED, [joined, w]))
    _, data, _, ranges = chooser([0.0, 0.0])
    groups = scale_groups(graph)
    assert groups[0].members == ("x", joined)
    assert choose_ranges(graph, data, groups, ranges)[0] == Range(0, 1)


def biased():
    """Coarse inputs that are never negative: rounding weights shifts the mean of each output."""
    b = GraphBuilder(seed=4)
    x = b.input("x", (1, 4, 4, 16))
    w1, b1 = b.random("w1", (8, 3, 3, 16)), b.random("b1", (8,))
    y = b.node(Op.CONV_2D, [x, w1, b1], Conv2DAttrs(clamp=RELU), name="one")
    w2, b2 = b.random("w2", (8, 1, 1, 8)), b.random("b2", (8,))
    y = b.node(Op.CONV_2D, [y, w2, b2], Conv2DAttrs(), name="two")
    graph = b.build(b.node(Op.MEAN, [y], MeanAttrs((1, 2)), name="mean"))
    data = {"x": np.abs(random_inputs(graph, 64)["x"]) + 2}
    return graph, data


def mean_errors(graph, data, params, operands):
    """The mean error of each layer's output per channel, largest first."""
    seen: dict[str, np.ndarray] = {}
    simulate(graph, data, params, operands, seen.__setitem__)
    exact: dict[str, np.ndarray] = {}
    execute(graph, data, exact.__setitem__)
    return {
        name: np.abs((seen[name] - exact[name]).reshape(-1, seen[name].shape[-1]).mean(0)).max()
        for name in ("two:0", "mean:0")
    }


def test_bias_correction_removes_the_mean_error():
    graph, data = biased()
    exact: dict[str, np.ndarray] = {}
    execute(graph, data, exact.__setitem__)
    params = {n: Range(float(v.min()), float(v.max())).params() for n, v in exact.items()}
    # 4-bit weights make the shift large against what is left after the correction.
    weights, operands = {}, {}
    for node in graph.nodes[:2]:
        x, w, bias = graph.operands(node)
        step = np.abs(w.value).max() / 7
        coarse = (np.rint(w.value / step) * step).astype(np.float32)
        weights[node.name] = quantize_weights(coarse, bias.value, 0, params[x.name].scale)
        own = weights[node.name]
        operands[node.name] = {w.name: own.real_weight(), bias.name: own.real_bias()}
    before = mean_errors(graph, data, params, operands)
    network = RoundedNetwork(params, operands, weights)
    (corrected,) = correct_biases(graph, data, [network])
    after_operands = {
        node.name: {
            node.inputs[1]: corrected[node.name].real_weight(),
            node.inputs[2]: corrected[node.name].real_bias(),
        }
        for node in graph.nodes[:2]
    }
    after = mean_errors(graph, data, params, after_operands)
    assert after["two:0"] < 0.1 * before["two:0"]
    assert after["mean:0"] < 0.2 * before["mean:0"]
    for name in weights:
        assert np.array_equal(corrected[name].codes, weights[name].codes)
        assert corrected[name].bias_codes.dtype == np.int32


@pytest.mark.parametrize("count", [1, 7])
def test_bias_correction_of_a_perfect_layer_changes_nothing(count):
    b = GraphBuilder()
    w = b.constant("w", np.float32([[1.27, -1.27], [0.01, 1.27]]))
    bias = b.constant("bias", np.zeros(2, np.float32))
    graph = b.build(b.node(Op.FULLY_CONNECTED, [b.input("x", (1, 2)), w, bias], name="fc"))
    data = {"x": np.arange(2 * count, dtype=np.float32).reshape(count, 2)}
    params = {"x": Range(-128, 127).params(), "fc:0": Range(-300, 300).params()}
    weights = {"fc": quantize_weights(w_of(graph), np.zeros(2), 0, 1.0)}
    operands = {"fc": {"w": weights["fc"].real_weight(), "bias": weights["fc"].real_bias()}}
    network = RoundedNetwork(params, operands, weights)
    (corrected,) = correct_biases(graph, data, [network])
    assert np.array_equal(corrected["fc"].bias_codes, weights["fc"].bias_codes)


def w_of(graph) -> np.ndarray:
    return graph.tensors["w"].value
