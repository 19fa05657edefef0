"""Shapes beyond those of the random graphs, against TFLite Micro."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.graphs import GraphBuilder
from tests.support.random_graphs import random_inputs
from tinyflow.ir import OPS, DType, Graph, Op, QuantParams
from tinyflow.ir.ops.fully_connected import FullyConnectedAttrs
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.resize import ResizeAttrs
from tinyflow.ir.ops.softmax import SoftmaxAttrs
from tinyflow.quantize.attach import attach_integers
from tinyflow.quantize.reference import run_reference

pytest.importorskip("tflite_micro")
from tests.support.tflite_micro import run_tflite_micro


def assert_equal(graph: Graph, inputs: dict[str, np.ndarray]) -> None:
    (name,) = graph.outputs
    expected = run_tflite_micro(graph, inputs)[name]
    np.testing.assert_array_equal(run_reference(graph, inputs)[name], expected, str(graph))


@pytest.mark.parametrize("scale", [2.0**-25.9, 0.004, 0.1447, 0.9, 3.0, 15.9, 40.0, 1000.0])
@pytest.mark.parametrize("elements", [1, 2, 12, 256, 500])
def test_softmax(scale, elements):
    b = GraphBuilder()
    x = b.input("x", (1, 3, elements), DType.INT8, QuantParams.per_tensor(scale, 5))
    y = b.node(Op.SOFTMAX, [x], SoftmaxAttrs(1.5), quant=OPS[Op.SOFTMAX].output_params)
    graph = attach_integers(b.build(y))
    inputs = random_inputs(graph, 6)
    inputs["x"][4] //= 32
    inputs["x"][5, :, 0] = 127
    assert_equal(graph, inputs)


@pytest.mark.parametrize("count", [3, 49, 64, 1000, 4096])
@pytest.mark.parametrize("scale_out", [0.05, 0.012, 1e-4])
def test_mean(count, scale_out):
    b = GraphBuilder(seed=count)
    x = b.input("x", (1, count, 5), DType.INT8, QuantParams.per_tensor(0.05, -128))
    y = b.node(Op.MEAN, [x], MeanAttrs((1,)), quant=QuantParams.per_tensor(scale_out, 11))
    graph = attach_integers(b.build(y))
    assert_equal(graph, random_inputs(graph, 8))


@pytest.mark.parametrize("flags", [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize("sizes", [((2, 3), (224, 160)), ((57, 64), (13, 200)), ((1, 1), (5, 7))])
@pytest.mark.parametrize("op", [Op.RESIZE_BILINEAR, Op.RESIZE_NEAREST], ids=lambda op: op.value)
def test_resize(op, sizes, flags):
    b = GraphBuilder()
    quant = QuantParams.per_tensor(0.05, 3)
    x = b.input("x", (1, *sizes[0], 2), DType.INT8, quant)
    graph = attach_integers(b.build(b.node(op, [x], ResizeAttrs(sizes[1], *flags), quant=quant)))
    assert_equal(graph, random_inputs(graph, 4))


def test_sums_beyond_the_integers_of_float32():
    b = GraphBuilder(seed=7)
    x = b.input("x", (1, 3000), DType.INT8, QuantParams.per_tensor(0.05, 127))
    weight = b.rng.choice(np.array([126, 127], dtype=np.int8), (4, 3000))
    w = b.constant("w", weight, QuantParams.per_channel(np.full(4, 0.01), 0))
    # The bias takes back the sum of the lowest input, some 97 million, so that the code is
    # what one input element adds to it.
    bias = 255 * weight.sum(axis=1, dtype=np.int32)
    c = b.constant("b", bias, QuantParams.per_channel(np.full(4, 0.0005), 0))
    y = b.node(
        Op.FULLY_CONNECTED,
        [x, w, c],
        FullyConnectedAttrs(),
        quant=QuantParams.per_tensor(0.0005, 0),
    )
    graph = attach_integers(b.build(y))
    codes = np.full((40, 3000), -128, dtype=np.int8)
    codes[np.arange(40), np.arange(0, 3000, 75)] += 1
    assert_equal(graph, {"x": codes})
    np.testing.assert_array_equal(run_reference(graph, {"x": codes})[y], weight[:, ::75].T)


def test_a_fully_connected_weight_with_a_zero_point():
    b = GraphBuilder(seed=3)
    x = b.input("x", (1, 20), DType.INT8, QuantParams.per_tensor(0.05, -9))
    weight = b.rng.integers(-128, 128, (6, 20), dtype=np.int8)
    w = b.constant("w", weight, QuantParams.per_tensor(0.01, 17))
    quant = QuantParams.per_tensor(0.3, 4)
    y = b.node(Op.FULLY_CONNECTED, [x, w], FullyConnectedAttrs(), quant=quant)
    graph = attach_integers(b.build(y))
    assert graph.nodes[0].integer.weight_zero == 17
    assert_equal(graph, random_inputs(graph, 20))
