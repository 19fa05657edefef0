"""Layers as several builtin operators, in TFLite Micro: exact for tables, else at a known cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("tflite_micro")

from tests.support.graphs import GraphBuilder
from tests.support.random_graphs import random_graph, random_inputs
from tests.support.tflite_micro import run_model
from tinyflow.codegen.tflite import TfliteFile, write_tflite
from tinyflow.codegen.tflite.lowering import CHAINS, PLAIN
from tinyflow.codegen.tflite.lowering.table import lower_table
from tinyflow.errors import UnsupportedError
from tinyflow.ir import RELU, Attrs, DType, Graph, Op, QuantParams
from tinyflow.ir.ops.detection import DetectionAttrs
from tinyflow.ir.ops.layer_norm import LayerNormAttrs
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.ir.ops.resize import ResizeAttrs
from tinyflow.quantize.attach import attach_integers
from tinyflow.quantize.metrics import sqnr_db
from tinyflow.quantize.postprocess import add_argmax, add_detection
from tinyflow.quantize.reference import run_reference
from tinyflow.verify.lowering import lowering_costs

IN = QuantParams.per_tensor(0.05, 3)
TABLES = tuple(op for op, lowering in PLAIN.items() if lowering is lower_table)


def samples_of(graph: Graph, n: int = 12, seed: int = 0) -> dict[str, np.ndarray]:
    """The reference's codes of every activation."""
    inputs = random_inputs(graph, n, seed)
    samples = dict(inputs)
    run_reference(graph, inputs, samples.__setitem__)
    return samples


def lowered(graph: Graph, samples: dict[str, np.ndarray]) -> TfliteFile:
    file = write_tflite(graph, samples=samples)
    assert file.custom == ()
    return file


def run(graph: Graph, file: TfliteFile, samples: dict[str, np.ndarray]) -> np.ndarray:
    (name,) = graph.outputs
    inputs = [samples[i] for i in graph.inputs]
    return run_model(file.data, inputs, file.indices, [name])[name]


@pytest.mark.parametrize("op", TABLES, ids=lambda op: op.value)
def test_tables_are_exact(op: Op) -> None:
    for seed in range(3):
        graph = random_graph(seed, (op,), 1)
        samples = samples_of(graph)
        file = lowered(graph, samples)
        assert [use.name for use in file.operators] == ["CAST", "ADD", "GATHER"]
        np.testing.assert_array_equal(run(graph, file, samples), samples[graph.outputs[0]])


@pytest.mark.parametrize("op", CHAINS, ids=lambda op: op.value)
def test_chains_follow_the_reference(op: Op) -> None:
    """Nearly all codes are at most one off, whatever the attributes."""
    counted = 0
    for seed in range(12):
        graph = random_graph(seed, (op,), 1)
        samples = samples_of(graph, seed=seed)
        if (file := lowered(graph, samples)).lowered_nodes:
            expected = samples[graph.outputs[0]].astype(int)
            distance = np.abs(run(graph, file, samples).astype(int) - expected)
            assert np.quantile(distance, 0.9) <= 1
            counted += 1
    assert counted >= 3


def test_gelu_is_as_near_as_its_approximation() -> None:
    """x * logistic(1.702 x) is at most 0.0203 from GELU; a gate has 256 steps."""
    for seed in range(12):
        graph = random_graph(seed, (Op.GELU,), 1)
        samples = samples_of(graph)
        file = lowered(graph, samples)
        assert [use.name for use in file.operators] == ["MUL", "LOGISTIC"]
        x = graph.tensors[graph.inputs[0]].params.dequantize(samples[graph.inputs[0]])
        step = graph.tensors[graph.outputs[0]].params.scale
        expected = samples[graph.outputs[0]].astype(int)
        distance = np.abs(run(graph, file, samples).astype(int) - expected) * step
        assert (distance <= 0.0203 + np.abs(x) / 256 + 1.01 * step).all()


def layer_norm(spread: float) -> Graph:
    """96 channels of which some are much larger than others."""
    b = GraphBuilder(seed=3)
    x = b.input("x", (1, 8, 8, 96), DType.INT8, IN)
    factors = np.exp(b.rng.normal(0, spread, 96)).astype(np.float32)
    gamma, beta = b.constant("gamma", factors), b.constant("beta", factors * 0.1)
    quant = QuantParams.per_tensor(4 * float(factors.max()) / 127)
    node = b.node(Op.LAYER_NORM, [x, gamma, beta], LayerNormAttrs(), "norm", quant)
    return attach_integers(b.build(node))


@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_a_layer_norm_loses_little_in_sixteen_bits(spread: float) -> None:
    """In int8 operators it would be below 0 dB. Two of the samples are constant: their inverse
    roots are hundreds of times as large as those of the others."""
    graph = layer_norm(spread)
    samples = samples_of(graph, 4)
    file = lowered(graph, samples)
    distance = np.abs(run(graph, file, samples).astype(int) - samples[graph.outputs[0]])
    assert distance.max() <= 1
    assert distance.mean() < 0.01
    costs = lowering_costs(graph, file, samples)
    (layer,) = costs.layers
    assert (layer.layer, layer.op) == ("norm", "LAYER_NORM")
    assert layer.sqnr_db == layer.alone_sqnr_db
    assert layer.sqnr_db > 30
    assert costs.outputs == costs.layers
    assert costs.samples == 4


def test_a_large_layer_norm_has_room_in_the_runtime() -> None:
    """Its tensors in 16 bits take twenty times the bytes of its operand."""
    b = GraphBuilder()
    x = b.input("x", (1, 96, 96, 64), DType.INT8, IN)
    quant = QuantParams.per_tensor(4 / 127)
    graph = attach_integers(b.build(b.node(Op.LAYER_NORM, [x], LayerNormAttrs(), "norm", quant)))
    samples = samples_of(graph, 3)
    assert lowering_costs(graph, lowered(graph, samples), samples).layers[0].sqnr_db > 30


def test_costs_tell_a_layer_from_those_before_it() -> None:
    b = GraphBuilder()
    x = b.input("x", (1, 64), DType.INT8, IN)
    gelu = b.node(Op.GELU, [x], name="gelu", quant=QuantParams.per_tensor(0.05, -100))
    exp = b.node(Op.EXP, [gelu], name="exp", quant=QuantParams.per_tensor(2.0, -128))
    last = b.node(Op.SIGMOID, [exp], name="last", quant=QuantParams.per_tensor(1 / 256, -128))
    graph = attach_integers(b.build(last))
    samples = samples_of(graph, 8)
    costs = lowering_costs(graph, lowered(graph, samples), samples)
    by_name = {cost.layer: cost.to_json() for cost in costs.layers}
    assert list(by_name) == ["gelu", "exp"]
    assert by_name["exp"]["alone_equal"]
    assert not by_name["exp"]["equal"]
    assert 20 < by_name["exp"]["sqnr_db"] < 60
    assert not by_name["gelu"]["alone_equal"]
    (output,) = costs.outputs
    assert (output.layer, output.alone_sqnr_db) == ("last", None)


@pytest.mark.parametrize("clamp", [PoolAttrs().clamp, RELU], ids=str)
def test_a_padding_that_has_no_name(clamp: Any) -> None:
    b = GraphBuilder()
    x = b.input("x", (1, 6, 7, 3), DType.INT8, IN)
    attrs = PoolAttrs((2, 3), (2, 2), ((1, 1), (2, 2)), clamp)
    graph = attach_integers(b.build(b.node(Op.AVERAGE_POOL, [x], attrs, "pool", IN)))
    samples = samples_of(graph)
    file = lowered(graph, samples)
    assert file.lowered_nodes == ("pool",)
    distance = run(graph, file, samples).astype(int) - samples[graph.outputs[0]]
    assert np.abs(distance).max() <= 1
    assert (distance == 0).mean() > 0.8


def test_labels_of_an_enlarged_image() -> None:
    b = GraphBuilder()
    x = b.input("x", (1, 4, 4, 5), DType.INT8, IN)
    small = b.node(Op.SIGMOID, [x], name="scores", quant=QuantParams.per_tensor(1 / 256, -128))
    graph = attach_integers(b.build(small))
    graph = add_argmax(graph, small, ResizeAttrs((9, 9), half_pixel_centers=True))
    samples = samples_of(graph)
    file = lowered(graph, samples)
    assert [use.name for use in file.operators][1:3] == ["RESIZE_BILINEAR", "ARG_MAX"]
    assert (run(graph, file, samples) == samples[graph.outputs[0]]).mean() > 0.95


def test_what_cannot_be_lowered_is_named() -> None:
    b = GraphBuilder()
    logits, deltas = (
        b.node(
            Op.SIGMOID,
            [b.input(f"x{n}", (1, 6, n), DType.INT8, IN)],
            Attrs(),
            f"head/{n}",
            QuantParams.per_tensor(1 / 256, -128),
        )
        for n in (3, 4)
    )
    graph = attach_integers(b.build(logits, deltas))
    graph = add_detection(graph, logits, deltas, np.ones((6, 4)), DetectionAttrs((8, 8), 0))
    with pytest.raises(UnsupportedError, match="no operators for DETECTION") as caught:
        write_tflite(graph, samples=samples_of(graph, 3))
    assert len(caught.value.obstacles) == 1


def test_the_scales_of_a_file_follow_from_the_samples() -> None:
    graph = layer_norm(0.5)
    few, many = samples_of(graph, 3), samples_of(graph, 5, seed=1)
    assert write_tflite(graph, samples=few).data == write_tflite(graph, samples=few).data
    assert write_tflite(graph, samples=few).data != write_tflite(graph, samples=many).data


def test_sqnr_of_the_whole_is_what_the_report_says() -> None:
    graph = layer_norm(0.5)
    samples = samples_of(graph, 4)
    file = lowered(graph, samples)
    zero = graph.tensors[graph.outputs[0]].params.zero_point
    expected = samples[graph.outputs[0]].astype(float) - zero
    actual = run(graph, file, samples).astype(float) - zero
    assert lowering_costs(graph, file, samples).outputs[0].sqnr_db == sqnr_db(expected, actual)
