"""Hard-swish and hard-sigmoid that an exporter wrote in smaller steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.support.graphs import GraphBuilder, assert_same_values
from tinyflow.ir import RELU6, Attrs, Clamp, Graph, Op
from tinyflow.ir.ops.broadcast import BinaryAttrs
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.hard_sigmoid import HardSigmoidAttrs
from tinyflow.passes.fuse_hard_swish import fuse_hard_swish

SHAPE = (1, 4, 4, 3)


def clipped(b: GraphBuilder, x: str, shift: float = 3.0, fused: bool = False) -> str:
    """clip(x + 3, 0, 6)."""
    amount = b.constant("three", np.full((), shift, np.float32))
    if fused:
        return b.node(Op.ADD, [x, amount], BinaryAttrs(RELU6), name="add")
    y = b.node(Op.ADD, [x, amount], name="add")
    return b.node(Op.CLAMP, [y], ClampAttrs(RELU6), name="clip")


def sixth(b: GraphBuilder) -> str:
    return b.constant("sixth", np.full((), 1 / 6, np.float32))


def gate_of_steps(b: GraphBuilder, x: str) -> str:
    y = b.node(Op.MUL, [clipped(b, x), sixth(b)], name="div")
    return b.node(Op.MUL, [x, y], name="mul")


def division_last(b: GraphBuilder, x: str) -> str:
    y = b.node(Op.MUL, [clipped(b, x), x], name="mul")
    return b.node(Op.MUL, [y, sixth(b)], name="div")


def fused_clamp(b: GraphBuilder, x: str) -> str:
    y = b.node(Op.MUL, [x, clipped(b, x, fused=True)], name="mul")
    return b.node(Op.MUL, [y, sixth(b)], name="div")


def hard_sigmoid_node(b: GraphBuilder, x: str) -> str:
    y = b.node(Op.HARD_SIGMOID, [x], HardSigmoidAttrs(), name="gate")
    return b.node(Op.MUL, [y, x], name="mul")


HARD_SWISHES = {
    "gate of steps": gate_of_steps,
    "division last": division_last,
    "fused clamp": fused_clamp,
    "hard sigmoid node": hard_sigmoid_node,
}


def built(write: Callable[[GraphBuilder, str], str]) -> Graph:
    b = GraphBuilder()
    return b.build(write(b, b.input("x", SHAPE)))


@pytest.mark.parametrize("form", HARD_SWISHES)
def test_hard_swish(form: str) -> None:
    graph = built(HARD_SWISHES[form])
    after, changed = fuse_hard_swish(graph)
    assert changed
    (node,) = after.nodes
    assert (node.op, node.inputs, node.attrs) == (Op.HARD_SWISH, ("x",), Attrs())
    assert node.name == graph.nodes[-1].name
    assert node.sources == tuple(n.name for n in graph.nodes)
    assert after.outputs == graph.outputs
    assert_same_values(after, graph)


def test_hard_sigmoid() -> None:
    graph = built(lambda b, x: b.node(Op.MUL, [clipped(b, x), sixth(b)], name="div"))
    after, _ = fuse_hard_swish(graph)
    (node,) = after.nodes
    assert node.attrs == HardSigmoidAttrs(1 / 6, 0.5)
    assert node.sources == ("add", "clip", "div")
    assert_same_values(after, graph)


def test_a_gate_over_another_tensor_becomes_a_hard_sigmoid() -> None:
    b = GraphBuilder()
    x, other = b.input("x", SHAPE), b.input("other", SHAPE)
    y = b.node(Op.MUL, [clipped(b, x), sixth(b)], name="div")
    after, _ = fuse_hard_swish(b.build(b.node(Op.MUL, [other, y], name="mul")))
    assert [n.op for n in after.nodes] == [Op.HARD_SIGMOID, Op.MUL]


UNLIKE: dict[str, Callable[[GraphBuilder, str], str]] = {
    "another shift": lambda b, x: b.node(Op.MUL, [clipped(b, x, 2.0), sixth(b)]),
    "another factor": lambda b, x: b.node(
        Op.MUL, [clipped(b, x), b.constant("fifth", np.full((), 0.2, np.float32))]
    ),
    "another clamp": lambda b, x: b.node(
        Op.MUL, [b.node(Op.CLAMP, [x], ClampAttrs(Clamp(0, 6))), sixth(b)]
    ),
    "another slope": lambda b, x: b.node(
        Op.MUL, [x, b.node(Op.HARD_SIGMOID, [x], HardSigmoidAttrs(0.2, 0.5))]
    ),
}


@pytest.mark.parametrize("form", UNLIKE)
def test_left_alone(form: str) -> None:
    assert fuse_hard_swish(built(UNLIKE[form]))[1] is False


def test_not_where_the_gate_is_an_output() -> None:
    b = GraphBuilder()
    x = b.input("x", SHAPE)
    gate = b.node(Op.HARD_SIGMOID, [x], HardSigmoidAttrs())
    graph = b.build(b.node(Op.MUL, [x, gate]), gate)
    assert fuse_hard_swish(graph)[1] is False
