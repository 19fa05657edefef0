"""A CLAMP becomes part of the layer before it."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.graphs import GraphBuilder, assert_same_structure, assert_same_values
from tinyflow.ir import RELU, RELU6, Clamp, DType, Op, QuantParams
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.passes.fuse_clamp import fuse_clamp

Layer = Callable[[GraphBuilder, str], str]
SHAPE = (1, 4, 4, 3)
POOL = PoolAttrs((2, 2), (2, 2))

LAYERS: dict[str, Layer] = {
    "conv": lambda b, x: b.node(Op.CONV_2D, [x, b.random("w", (2, 3, 3, 3))]),
    "depthwise": lambda b, x: b.node(Op.DEPTHWISE_CONV_2D, [x, b.random("w", (1, 2, 2, 3))]),
    "transpose conv": lambda b, x: b.node(Op.TRANSPOSE_CONV_2D, [x, b.random("w", (2, 2, 2, 3))]),
    "fully connected": lambda b, x: b.node(Op.FULLY_CONNECTED, [x, b.random("w", (2, 3))]),
    "add": lambda b, x: b.node(Op.ADD, [x, x]),
    "sub": lambda b, x: b.node(Op.SUB, [x, b.random("k", (3,))]),
    "mul": lambda b, x: b.node(Op.MUL, [x, x]),
    "max pool": lambda b, x: b.node(Op.MAX_POOL, [x], POOL),
    "average pool": lambda b, x: b.node(Op.AVERAGE_POOL, [x], POOL),
    "clamp": lambda b, x: b.node(Op.CLAMP, [x], ClampAttrs(RELU6)),
}


@pytest.mark.parametrize("layer", LAYERS)
def test_into_each_layer_that_can_clamp(layer: str) -> None:
    b = GraphBuilder()
    y = LAYERS[layer](b, b.input("x", SHAPE))
    graph = b.build(b.node(Op.CLAMP, [y], ClampAttrs(Clamp(0.25, 0.5)), name="act"))
    after, changed = fuse_clamp(graph)
    assert changed
    assert len(after.nodes) == 1
    assert after.nodes[0].sources == (*graph.nodes[0].sources, "act")
    assert after.outputs == graph.outputs
    assert_same_values(after, graph)


def test_structure() -> None:
    b, e = GraphBuilder(), GraphBuilder()
    y = b.node(Op.CONV_2D, [b.input("x", SHAPE), b.random("w", (2, 3, 3, 3))], name="conv")
    y = b.node(Op.CLAMP, [y], ClampAttrs(RELU), name="relu")
    expected = e.node(
        Op.CONV_2D,
        [e.input("x", SHAPE), e.random("w", (2, 3, 3, 3))],
        Conv2DAttrs(clamp=RELU),
        name="conv",
        sources=("conv", "relu"),
    )
    assert_same_structure(fuse_clamp(b.build(y))[0], e.build(expected))


def test_past_a_reshape() -> None:
    b = GraphBuilder()
    y = LAYERS["conv"](b, b.input("x", SHAPE))
    y = b.node(Op.RESHAPE, [y], ReshapeAttrs((1, 8)))
    graph = b.build(b.node(Op.CLAMP, [y], ClampAttrs(RELU)))
    after, _ = fuse_clamp(graph)
    assert [n.op for n in after.nodes] == [Op.CONV_2D, Op.RESHAPE]
    assert_same_values(after, graph)


def test_not_where_another_layer_or_an_output_reads_the_operand() -> None:
    b = GraphBuilder()
    y = LAYERS["conv"](b, b.input("x", SHAPE))
    z = b.node(Op.CLAMP, [y], ClampAttrs(RELU))
    assert fuse_clamp(b.build(z, y))[1] is False
    assert fuse_clamp(b.build(b.node(Op.ADD, [z, y])))[1] is False


def test_not_into_a_layer_without_a_clamp() -> None:
    b = GraphBuilder()
    y = b.node(Op.MEAN, [b.input("x", SHAPE)], MeanAttrs((1, 2)))
    assert fuse_clamp(b.build(b.node(Op.CLAMP, [y], ClampAttrs(RELU))))[1] is False


@pytest.mark.parametrize("same", [True, False])
def test_in_a_quantized_graph_only_at_one_scale(same: bool) -> None:
    b = GraphBuilder()
    q = QuantParams.per_tensor(0.5, 3)
    x = b.input("x", SHAPE, DType.INT8, q)
    y = b.node(Op.ADD, [x, x], quant=q)
    other = q if same else QuantParams.per_tensor(0.25, -128)
    graph = b.build(b.node(Op.CLAMP, [y], ClampAttrs(RELU), quant=other))
    assert fuse_clamp(graph)[1] is same


clamps = st.tuples(st.floats(-3, 3), st.floats(-3, 3)).map(lambda p: Clamp(min(p), max(p)))


@given(clamps | st.just(RELU) | st.just(Clamp(-math.inf, -1.0)), clamps)
def test_two_clamps_are_one(first: Clamp, second: Clamp) -> None:
    b = GraphBuilder()
    y = b.node(Op.CLAMP, [b.input("x", (1, 50))], ClampAttrs(first))
    graph = b.build(b.node(Op.CLAMP, [y], ClampAttrs(second)))
    after, _ = fuse_clamp(graph)
    assert len(after.nodes) == 1
    assert_same_values(after, graph)
