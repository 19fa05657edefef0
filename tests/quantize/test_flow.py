from __future__ import annotations

import math

import numpy as np
import pytest

from tests.support.graphs import GraphBuilder, random_inputs
from tinyflow.errors import DataError, UnsupportedError
from tinyflow.ir import RELU, RELU6, DType, Op, QuantParams, Rounding, execute
from tinyflow.ir.ops.add import BinaryAttrs
from tinyflow.ir.ops.channel_gate import ChannelGateAttrs
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.concat import ConcatAttrs
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.ir.ops.depthwise_conv2d import DepthwiseConv2DAttrs
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.ir.serialize import to_bytes
from tinyflow.quantize import (
    QuantizeOptions,
    RangeMethod,
    quantize_and_record,
    quantize_model,
    run_reference,
)
from tinyflow.quantize.metrics import dequantize_outputs, quantize_inputs, sqnr_db

EDGE = ((1, 1), (1, 1))


def network(seed: int = 0):
    """A residual network with a depthwise layer, a pool, a constant operand and a global mean."""
    b = GraphBuilder(seed=seed)
    x = b.input("image", (1, 8, 8, 3))
    first = b.node(
        Op.CONV_2D,
        [x, b.random("w1", (8, 3, 3, 3), 0.3), b.random("b1", (8,))],
        Conv2DAttrs(padding=EDGE, clamp=RELU),
        name="first",
    )
    deep = b.node(
        Op.DEPTHWISE_CONV_2D,
        [first, b.random("w2", (1, 3, 3, 8), 0.3)],
        DepthwiseConv2DAttrs(padding=EDGE, clamp=RELU6),
        name="deep",
    )
    total = b.node(Op.ADD, [first, deep], BinaryAttrs(clamp=RELU), name="residual")
    pooled = b.node(Op.MAX_POOL, [total], PoolAttrs((2, 2), (2, 2)), name="pool")
    scaled = b.node(Op.MUL, [pooled, b.random("gain", (1, 1, 1, 8))], name="scaled")
    joined = b.node(Op.CONCAT, [pooled, scaled], ConcatAttrs(3), name="joined")
    mean = b.node(Op.MEAN, [joined], MeanAttrs((1, 2)), name="mean")
    fc_w, fc_b = b.random("w3", (5, 16)), b.random("b3", (5,))
    return b.build(b.node(Op.FULLY_CONNECTED, [mean, fc_w, fc_b], name="logits"))


def transformer_parts():
    """A layer normalization with parameters, a GELU, and a gate from the mean of the map."""
    b = GraphBuilder(seed=3)
    x = b.input("map", (1, 6, 6, 16))
    norm = b.node(Op.LAYER_NORM, [x, b.random("gamma", (16,)), b.random("beta", (16,))], name="n")
    wide = b.node(Op.CONV_2D, [norm, b.random("w1", (24, 1, 1, 16), 0.3)], name="wide")
    gelu = b.node(Op.GELU, [wide], name="gelu")
    mean = b.node(Op.MEAN, [gelu], MeanAttrs((1, 2)), name="mean")
    gate = b.node(Op.FULLY_CONNECTED, [mean, b.random("w2", (24, 24))], name="squeeze")
    gate = b.node(Op.HARD_SIGMOID, [gate], name="gate")
    factors = [b.random("scale", (24,)), b.random("shift", (24,))]
    gated = b.node(Op.CHANNEL_GATE, [gelu, gate, *factors], ChannelGateAttrs(True), "gated")
    return b.build(b.node(Op.CONV_2D, [gated, b.random("w3", (8, 1, 1, 24), 0.3)], name="out"))


def test_parts_of_transformers_follow_the_float_ones():
    graph = transformer_parts()
    samples = random_inputs(graph, 40)
    quantized = quantize_model(graph, samples)
    reals = {"gamma", "beta", "scale", "shift"}
    assert {n for n, t in quantized.constants.items() if t.dtype is DType.FLOAT32} == reals
    test = random_inputs(graph, 20, seed=9)
    expected = execute(graph, test)
    actual = dequantize_outputs(
        quantized, run_reference(quantized, quantize_inputs(quantized, test))
    )
    assert sqnr_db(expected["out:0"], actual["out:0"]) > 28


@pytest.mark.parametrize("method", RangeMethod)
@pytest.mark.parametrize("correct", [True, False])
def test_quantized_network_follows_the_float_one(method, correct):
    graph = network()
    options = QuantizeOptions(ranges=method, bias_correction=correct)
    quantized = quantize_model(graph, random_inputs(graph, 64), options)
    data = random_inputs(graph, 100, seed=9)
    codes = run_reference(quantized, quantize_inputs(quantized, data))
    reals = dequantize_outputs(quantized, codes)["logits:0"]
    assert sqnr_db(execute(graph, data)["logits:0"], reals) > 28.0
    assert quantized.rounding is Rounding.DOUBLE


def test_types_and_parameters_of_every_tensor():
    graph = network()
    quantized = quantize_model(graph, random_inputs(graph, 16))
    for node in quantized.nodes:
        assert node.integer is not None
        assert quantized.result(node).dtype is DType.INT8
    t = quantized.tensors
    weights = quantized.operands(next(n for n in quantized.nodes if n.name == "deep"))
    assert weights[1].params.axis == 3
    assert weights[2].dtype is DType.INT32
    assert t["gain"].dtype is DType.INT8
    assert t["gain"].params.axis is None
    assert t["pool:0"].params == t["residual:0"].params
    assert t["scaled:0"].params == t["joined:0"].params
    assert quantized.outputs == graph.outputs
    assert quantized.inputs == graph.inputs


def test_two_runs_give_the_same_bytes():
    graph = network()
    data = random_inputs(graph, 64)
    assert to_bytes(quantize_model(graph, data)) == to_bytes(quantize_model(graph, data))


def test_rounding_is_that_of_the_options():
    graph = network()
    options = QuantizeOptions(rounding=Rounding.SINGLE)
    assert quantize_model(graph, random_inputs(graph, 8), options).rounding is Rounding.SINGLE


def test_a_fused_clamp_bounds_the_range():
    b = GraphBuilder()
    w = b.random("w", (4, 1, 1, 3), 20.0)
    y = b.node(Op.CONV_2D, [b.input("x", (1, 8, 8, 3)), w], Conv2DAttrs(clamp=RELU6), name="conv")
    graph = b.build(b.node(Op.MEAN, [y], MeanAttrs((1, 2))))
    for method in RangeMethod:
        done = quantize_and_record(graph, random_inputs(graph, 20), QuantizeOptions(ranges=method))
        assert done.used["conv:0"].lo == 0.0
        assert done.used["conv:0"].hi <= 6.0
        assert done.graph.tensors["conv:0"].params.scale <= np.float32(6 / 255)


def test_a_clamp_that_stays_bounds_the_range_before_it():
    b = GraphBuilder()
    y = b.node(Op.MEAN, [b.input("x", (1, 2, 2, 4))], MeanAttrs((1, 2)), name="mean")
    graph = b.build(b.node(Op.CLAMP, [y], ClampAttrs(RELU6)))
    data = {"x": 100 * random_inputs(graph, 20)["x"]}
    quantized = quantize_model(graph, data)
    assert quantized.tensors["mean:0"].params == QuantParams.per_tensor(6 / 255, -128)


def test_a_known_input_range_is_kept():
    graph = network()
    options = QuantizeOptions(input_ranges={"image": (-8.0, 7.9375)})
    quantized = quantize_model(graph, random_inputs(graph, 8), options)
    assert quantized.tensors["image"].params == QuantParams.per_tensor(0.0625, 0)


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ({"picture": (0.0, 1.0)}, "'picture', which is no input"),
        ({"image": (0.0, 1.0)}, r"is \(0, 1\), but the calibration data reach"),
    ],
)
def test_a_wrong_known_range_gets_a_sentence(ranges, message):
    graph = network()
    with pytest.raises(DataError, match=message):
        quantize_model(graph, random_inputs(graph, 8), QuantizeOptions(input_ranges=ranges))


@pytest.mark.parametrize(
    "choice",
    [
        {"percentile": 20.0},
        {"percentile": 101.0},
        {"held_out": 1.0},
        {"search_samples": 0},
        {"input_ranges": {"x": (1.0, 1.0)}},
        {"input_ranges": {"x": (0.0, math.inf)}},
    ],
)
def test_impossible_options_are_refused(choice):
    with pytest.raises(ValueError):
        QuantizeOptions(**choice)


@pytest.mark.parametrize("fill", [0.0, 1.0, -3.0])
def test_constant_activations(fill):
    graph = network()
    data = {"image": np.full((4, 8, 8, 3), fill, np.float32)}
    quantized = quantize_model(graph, data)
    codes = run_reference(quantized, quantize_inputs(quantized, data))
    reals = dequantize_outputs(quantized, codes)["logits:0"]
    assert sqnr_db(execute(graph, data)["logits:0"], reals) > 25.0


def test_all_zero_activations():
    b = GraphBuilder()
    w = b.constant("w", np.zeros((2, 1, 1, 3), np.float32))
    graph = b.build(b.node(Op.CONV_2D, [b.input("x", (1, 2, 2, 3)), w], Conv2DAttrs()))
    quantized = quantize_model(graph, random_inputs(graph, 8))
    codes = run_reference(quantized, quantize_inputs(quantized, random_inputs(graph, 2)))
    assert not dequantize_outputs(quantized, codes)[graph.outputs[0]].any()


def test_one_sample_suffices():
    graph = network()
    done = quantize_and_record(graph, random_inputs(graph, 1))
    assert not done.bias_corrected
    assert math.isnan(done.logit_sqnr_db)


def shared_weights(gain: float):
    """Two layers read one weight and one bias, with inputs of different size."""
    b = GraphBuilder()
    x = b.input("x", (1, 6))
    w, bias = b.random("w", (6, 6)), b.random("b", (6,))
    first = b.node(Op.FULLY_CONNECTED, [x, w, bias], name="first")
    large = b.node(Op.MUL, [first, b.constant("gain", np.float32([gain]))])
    return b.build(b.node(Op.FULLY_CONNECTED, [large, w, bias], name="second"))


def test_a_shared_weight_is_stored_once_and_its_biases_apart():
    graph = shared_weights(50.0)
    options = QuantizeOptions(bias_correction=False)
    quantized = quantize_model(graph, random_inputs(graph, 32), options)
    first, second = (n for n in quantized.nodes if n.op is Op.FULLY_CONNECTED)
    assert first.inputs[1] == second.inputs[1]
    assert first.inputs[2] != second.inputs[2]
    for node in (first, second):
        x, w, bias = quantized.operands(node)
        real = bias.value * (x.params.scale * np.float64(w.params.scales))
        np.testing.assert_allclose(real, graph.tensors["b"].value, rtol=0.02, atol=0.02)


def test_a_constant_that_two_layers_read_on_different_scales():
    b = GraphBuilder()
    x = b.input("x", (1, 4))
    c = b.constant("c", np.float32([[0.1, -0.2, 0.3, 0.05]]))
    scaled = b.node(Op.MUL, [x, c])
    graph = b.build(b.node(Op.CONCAT, [x, c], ConcatAttrs(1), name="join"), scaled)
    quantized = quantize_model(graph, random_inputs(graph, 32))
    mul = next(n for n in quantized.nodes if n.op is Op.MUL)
    join = next(n for n in quantized.nodes if n.op is Op.CONCAT)
    assert mul.inputs[1] != join.inputs[1]
    assert quantized.tensors[mul.inputs[1]].params.scale < 0.003
    assert quantized.tensors[join.inputs[1]].params == quantized.tensors["x"].params


def test_a_weight_that_is_computed_is_refused_by_name():
    b = GraphBuilder()
    x, w = b.input("x", (1, 4)), b.input("w", (3, 4))
    graph = b.build(b.node(Op.FULLY_CONNECTED, [x, w], name="attention"))
    data = {"x": np.ones((2, 4)), "w": np.ones((2, 4))}
    with pytest.raises((UnsupportedError, DataError)):
        quantize_model(graph, data)


def test_several_inputs_and_outputs():
    b = GraphBuilder()
    x, y = b.input("x", (1, 6)), b.input("y", (1, 6))
    total = b.node(Op.ADD, [x, y], name="total")
    odds = b.node(Op.SIGMOID, [total], name="odds")
    graph = b.build(total, odds)
    data = random_inputs(graph, 40)
    quantized = quantize_model(graph, data)
    reals = dequantize_outputs(
        quantized, run_reference(quantized, quantize_inputs(quantized, data))
    )
    for name, expected in execute(graph, data).items():
        assert sqnr_db(expected, reals[name]) > 30.0


def test_progress_names_its_stages():
    graph = network()
    stages = []
    quantize_model(
        graph, random_inputs(graph, 8), progress=lambda stage, done, total: stages.append(stage)
    )
    assert dict.fromkeys(stages) == dict.fromkeys(
        ["calibration: ranges", "calibration: histograms", "range search", "trial"]
    )


@pytest.mark.parametrize("method", RangeMethod)
def test_the_record_says_what_was_used(method):
    graph = network()
    data = random_inputs(graph, 64)
    done = quantize_and_record(graph, data, QuantizeOptions(ranges=method))
    assert set(done.used) == set(done.observed)
    assert done.method is method or method is RangeMethod.AUTO
    assert done.used["image"].params() == done.graph.tensors["image"].params
    assert done.observed["image"].hi == pytest.approx(float(data["image"].max()))
    assert 25.0 < done.logit_sqnr_db < 60.0


def test_bias_correction_is_kept_only_where_it_helps():
    """Whichever way the judgement falls, the held-out logits are no worse than without it."""
    for seed in range(4):
        graph = network(seed)
        data = random_inputs(graph, 48, seed)
        without = quantize_and_record(
            graph, data, QuantizeOptions(ranges=RangeMethod.MSE, bias_correction=False)
        )
        free = quantize_and_record(graph, data, QuantizeOptions(ranges=RangeMethod.MSE))
        if free.bias_corrected:
            assert free.logit_sqnr_db > without.logit_sqnr_db
        else:
            assert to_bytes(free.graph) == to_bytes(without.graph)
