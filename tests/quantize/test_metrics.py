from __future__ import annotations

import math

import numpy as np
import pytest

from tests.support.graphs import GraphBuilder, random_inputs
from tinyflow.ir import RELU, Op, execute
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.quantize import compare_layers, quantize_model, run_reference
from tinyflow.quantize.metrics import (
    Proportion,
    agreement,
    cosine,
    dequantize_outputs,
    logit_tensors,
    quantize_inputs,
    saturation,
    sqnr_db,
    top1,
    top5,
)


def test_sqnr():
    x = np.float32([3.0, 4.0])
    assert sqnr_db(x, x) == math.inf
    assert sqnr_db(x, x + np.float32([0.5, 0.0])) == pytest.approx(20.0)
    assert sqnr_db(np.zeros(2), x) == -math.inf


def test_cosine():
    assert cosine(np.float32([1, 0]), np.float32([0, 2])) == 0.0
    assert cosine(np.float32([1, 2]), np.float32([2, 4])) == pytest.approx(1.0)
    assert cosine(np.zeros(2), np.zeros(2)) == 1.0
    assert cosine(np.zeros(2), np.ones(2)) == 0.0


def test_saturation_counts_both_ends():
    assert saturation(np.int8([-128, -128, 127, 0])) == (50.0, 25.0)


def test_top_k_ties_go_to_the_lowest_index():
    scores = np.int8([[5, 5, 1], [0, 3, 3], [9, 0, 0]])
    assert top1(scores, np.array([0, 2, 0])) == Proportion(2, 3)
    assert top5(scores, np.array([1, 2, 1])).percent == 100.0


def test_top5():
    scores = np.arange(10)[None, :]
    assert top5(scores, np.array([5])).hits == 1
    assert top5(scores, np.array([4])).hits == 0


def test_agreement_of_scores_of_any_shape():
    a = np.float32([[0.1, 0.9], [0.8, 0.2]])
    b = np.int8([[[1, 5]], [[2, 7]]])
    assert agreement(a, b) == Proportion(1, 2)


def test_wilson_interval():
    lo, hi = Proportion(901, 1000).ci95
    assert (lo, hi) == (pytest.approx(88.09, abs=0.01), pytest.approx(91.80, abs=0.01))
    assert Proportion(10, 10).ci95[1] == pytest.approx(100.0)
    assert 0 < Proportion(10, 10).ci95[0] < 100
    assert math.isnan(Proportion(0, 0).percent)


@pytest.fixture
def graph():
    b = GraphBuilder()
    x = b.input("image", (1, 6, 6, 2))
    y = b.node(Op.CONV_2D, [x, b.random("w", (4, 6, 6, 2))], Conv2DAttrs(clamp=RELU), name="conv")
    y = b.node(Op.RESHAPE, [y], ReshapeAttrs((1, 4)), name="flat")
    return b.build(b.node(Op.SOFTMAX, [y], name="softmax"))


def test_logits_are_found_behind_softmax_and_reshape(graph):
    assert logit_tensors(graph) == ("conv:0",)


def test_compare_layers_equals_the_definitions(graph):
    quantized = quantize_model(graph, random_inputs(graph, 40))
    data = random_inputs(graph, 150, seed=3)
    errors = {e.tensor: e for e in compare_layers(graph, quantized, data)}
    assert list(errors) == ["image", "conv:0", "flat:0", "softmax:0"]
    codes = quantize_inputs(quantized, data)
    reals = dequantize_outputs(quantized, run_reference(quantized, codes))["softmax:0"]
    expected = execute(graph, data)["softmax:0"]
    error = errors["softmax:0"]
    assert error.layer == "softmax"
    assert error.sqnr_db == pytest.approx(sqnr_db(expected, reals))
    assert error.cosine == pytest.approx(cosine(expected, reals))
    assert error.max_error == pytest.approx(float(np.abs(expected - reals).max()))
    assert (error.at_low, error.at_high) == saturation(run_reference(quantized, codes)["softmax:0"])
    assert errors["image"].layer == "image"


def test_zeros_of_a_relu_are_no_saturation(graph):
    quantized = quantize_model(graph, random_inputs(graph, 40))
    error = {e.tensor: e for e in compare_layers(graph, quantized, random_inputs(graph, 40))}
    assert error["conv:0"].at_low > 20.0
    assert error["conv:0"].saturation == error["conv:0"].at_high
    assert error["conv:0"].clipped <= error["conv:0"].saturation


def test_values_beyond_the_range_are_clipped(graph):
    quantized = quantize_model(graph, random_inputs(graph, 40))
    data = {"image": random_inputs(graph, 10)["image"] * 10}
    error = {e.tensor: e for e in compare_layers(graph, quantized, data)}["image"]
    assert error.clipped > 50.0
    assert error.clipped <= error.saturation
