"""Scales chosen so that products fall on ties: any other precision in the multiplier shows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.support.graphs import GraphBuilder
from tests.support.random_graphs import random_inputs
from tinyflow.ir import RELU, Attrs, DType, Graph, Op, QuantParams
from tinyflow.ir.ops.broadcast import BinaryAttrs
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.ir.ops.fully_connected import FullyConnectedAttrs
from tinyflow.ir.ops.leaky_relu import LeakyReluAttrs
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.quantize.attach import attach_integers
from tinyflow.quantize.reference import run_reference

pytest.importorskip("tflite_micro")
from tests.support.tflite_micro import run_tflite_micro

RATIOS = (0.5, 0.25, 1.5, 0.75, 1.0)
CODES = np.arange(-128, 128, dtype=np.int8)


def params(scale: float) -> QuantParams:
    return QuantParams.per_tensor(scale, 0)


class Case:
    """Random float32 scales, and the output scale that makes a given ratio as exact as it gets."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.a, self.b = (float(np.float32(s)) for s in rng.uniform(0.01, 0.1, 2))
        self.ratio = float(rng.choice(RATIOS))
        self.builder = GraphBuilder()

    def input(self, shape: tuple[int, ...]) -> str:
        return self.builder.input("x", shape, DType.INT8, params(self.a))

    def weight(self, shape: tuple[int, ...], per_tensor: bool) -> str:
        quant = params(self.b)
        if not per_tensor:
            quant = QuantParams.per_channel(np.full(shape[0], self.b), 0)
        data = np.ones(shape, dtype=np.int8)
        return self.builder.constant("w", data, quant)

    def output(self, real: float) -> QuantParams:
        return params(real / self.ratio)


def fully_connected(case: Case, per_tensor: bool) -> str:
    x = case.input((1, 256, 1))
    w = case.weight((3, 1), per_tensor)
    quant = case.output(case.a * case.b)
    return case.builder.node(Op.FULLY_CONNECTED, [x, w], FullyConnectedAttrs(), quant=quant)


def conv(case: Case, per_tensor: bool) -> str:
    x = case.input((1, 16, 16, 1))
    w = case.weight((3, 1, 1, 1), per_tensor)
    return case.builder.node(Op.CONV_2D, [x, w], Conv2DAttrs(), quant=case.output(case.a * case.b))


def mul(case: Case) -> str:
    x = case.input((1, 256))
    one = case.builder.constant("one", np.ones((1,), dtype=np.int8), params(case.b))
    return case.builder.node(Op.MUL, [x, one], BinaryAttrs(), quant=case.output(case.a * case.b))


def add(case: Case) -> str:
    x = case.input((1, 256))
    other = case.builder.constant("other", np.zeros((1,), dtype=np.int8), params(case.b))
    return case.builder.node(Op.ADD, [x, other], BinaryAttrs(), quant=case.output(case.a))


def unary(op: Op, attrs: Attrs) -> Callable[[Case], str]:
    def build(case: Case) -> str:
        x = case.input((1, 256))
        return case.builder.node(op, [x], attrs, quant=case.output(case.a))

    return build


def mean(case: Case) -> str:
    x = case.input((1, 16, 16, 2))
    return case.builder.node(Op.MEAN, [x], MeanAttrs((1,)), quant=case.output(case.a))


BUILDERS: dict[str, Callable[[Case], str]] = {
    "fully connected, one scale": lambda case: fully_connected(case, True),
    "fully connected, per channel": lambda case: fully_connected(case, False),
    "convolution, one scale": lambda case: conv(case, True),
    "convolution, per channel": lambda case: conv(case, False),
    "mul": mul,
    "add": add,
    "mean": mean,
    "relu": unary(Op.CLAMP, ClampAttrs(RELU)),
    "quantize": unary(Op.QUANTIZE, Attrs()),
    "leaky relu": unary(Op.LEAKY_RELU, LeakyReluAttrs(1.5)),
    "hard swish": unary(Op.HARD_SWISH, Attrs()),
}


def quantized(build: Callable[[Case], str], seed: int) -> Graph:
    case = Case(seed)
    return attach_integers(case.builder.build(build(case)))


@pytest.mark.parametrize("kind", BUILDERS)
def test_multipliers_come_from_the_same_precision(kind):
    for seed in range(60):
        graph = quantized(BUILDERS[kind], seed)
        inputs = random_inputs(graph, 4, seed)
        if graph.tensors["x"].elements == 256:
            inputs["x"][3] = CODES.reshape(inputs["x"].shape[1:])
        (name,) = graph.outputs
        expected = run_tflite_micro(graph, inputs)[name]
        np.testing.assert_array_equal(run_reference(graph, inputs)[name], expected, str(graph))
