"""Gates of squeeze-and-excite together with the shortcut around them."""

from __future__ import annotations

import pytest

from tests.support.double import assert_exact, in_double
from tests.support.graphs import GraphBuilder
from tinyflow.ir import RELU, Graph, Op
from tinyflow.ir.ops.broadcast import BinaryAttrs
from tinyflow.ir.ops.channel_gate import ChannelGateAttrs
from tinyflow.passes.fuse_channel_gate import fuse_channel_gate

SHAPE = (1, 4, 3, 6)


def gated(b: GraphBuilder, x: str, gate: str, residual: bool = False) -> str:
    constants = [b.random("scale", (6,)), b.random("shift", (6,))]
    return b.node(Op.CHANNEL_GATE, [x, gate, *constants], ChannelGateAttrs(residual), name="excite")


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("plain", [False, True])
def test_a_shortcut_around_a_gate(plain: bool, swapped: bool) -> None:
    b = GraphBuilder()
    x, gate = b.input("x", SHAPE), b.input("gate", (1, 1, 1, 6))
    if plain:
        y = b.node(Op.MUL, [gate, x] if swapped else [x, gate], name="excite")
    else:
        y = gated(b, x, gate)
    graph = in_double(b.build(b.node(Op.ADD, [y, x] if swapped else [x, y], name="sum")))
    after, changed = fuse_channel_gate(graph)
    assert changed
    (node,) = after.nodes
    assert (node.op, node.attrs) == (Op.CHANNEL_GATE, ChannelGateAttrs(residual=True))
    assert node.inputs[:2] == ("x", "gate")
    assert node.sources == ("excite", "sum")
    assert_exact(after, graph)


def left_alone(graph: Graph) -> None:
    assert fuse_channel_gate(graph) == (graph, False)


def test_not_around_another_tensor_or_twice() -> None:
    b = GraphBuilder()
    x, gate, other = b.input("x", SHAPE), b.input("gate", (1, 6)), b.input("other", SHAPE)
    left_alone(b.build(b.node(Op.ADD, [other, gated(b, x, gate)])))
    b = GraphBuilder()
    x, gate = b.input("x", SHAPE), b.input("gate", (1, 6))
    left_alone(b.build(b.node(Op.ADD, [x, gated(b, x, gate, residual=True)])))


def test_not_where_something_else_reads_the_product() -> None:
    b = GraphBuilder()
    x, gate = b.input("x", SHAPE), b.input("gate", (1, 6))
    y = gated(b, x, gate)
    left_alone(b.build(b.node(Op.ADD, [x, y]), y))


@pytest.mark.parametrize("behind", [False, True])
def test_not_with_an_activation(behind: bool) -> None:
    b = GraphBuilder()
    x, gate = b.input("x", SHAPE), b.input("gate", (1, 1, 1, 6))
    relu, plain = BinaryAttrs(RELU), BinaryAttrs()
    y = b.node(Op.MUL, [x, gate], plain if behind else relu)
    left_alone(b.build(b.node(Op.ADD, [x, y], relu if behind else plain)))


@pytest.mark.parametrize("shape", [SHAPE, (1, 4, 3, 1), (1, 1, 1, 1)])
def test_not_with_a_factor_that_is_no_gate(shape: tuple[int, ...]) -> None:
    b = GraphBuilder()
    x, gate = b.input("x", SHAPE), b.input("gate", shape)
    left_alone(b.build(b.node(Op.ADD, [x, b.node(Op.MUL, [x, gate])])))


def test_a_gate_without_a_shortcut_stays_a_product() -> None:
    b = GraphBuilder()
    left_alone(b.build(b.node(Op.MUL, [b.input("x", SHAPE), b.input("gate", (1, 1, 1, 6))])))
