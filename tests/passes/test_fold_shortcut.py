"""``x + depthwise(x)`` becomes one depthwise convolution."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.double import assert_exact, in_double
from tests.support.graphs import GraphBuilder
from tinyflow.ir import NO_CLAMP, RELU, Graph, Op
from tinyflow.ir.ops.broadcast import BinaryAttrs
from tinyflow.ir.ops.depthwise_conv2d import DepthwiseConv2DAttrs
from tinyflow.passes.fold_shortcut import fold_shortcut

SHAPE = (1, 5, 6, 4)


def shortcut(
    kernel: tuple[int, int] = (3, 3),
    padding: Any = ((1, 1), (1, 1)),
    clamp: Any = NO_CLAMP,
    bias: bool = False,
    swapped: bool = False,
    **attrs: Any,
) -> Graph:
    b = GraphBuilder()
    x = b.input("x", SHAPE)
    operands = [x, b.random("w", (1, *kernel, 4))]
    operands += [b.random("b", (4,))] if bias else []
    y = b.node(
        Op.DEPTHWISE_CONV_2D, operands, DepthwiseConv2DAttrs(padding=padding, **attrs), "local"
    )
    return b.build(b.node(Op.ADD, [y, x] if swapped else [x, y], BinaryAttrs(clamp), "shortcut"))


CASES: dict[str, dict[str, Any]] = {
    "3x3": {},
    "with a bias, sum the other way round": {"bias": True, "swapped": True},
    "5x7": {"kernel": (5, 7), "padding": ((2, 2), (3, 3))},
    "dilated": {"padding": ((2, 2), (3, 3)), "dilations": (2, 3)},
    "an even kernel": {"kernel": (2, 4), "padding": ((0, 1), (2, 1))},
    "an activation behind": {"clamp": RELU},
}


@pytest.mark.parametrize("case", CASES)
def test_the_shortcut_is_a_tap(case: str) -> None:
    graph = in_double(shortcut(**CASES[case]))
    after, changed = fold_shortcut(graph)
    assert changed
    (node,) = after.nodes
    assert (node.op, node.name, node.sources) == (
        Op.DEPTHWISE_CONV_2D,
        "local",
        ("local", "shortcut"),
    )
    assert after.outputs == graph.outputs
    assert_exact(after, graph)
    assert fold_shortcut(after) == (after, False)


def test_an_activation_between_keeps_it() -> None:
    b = GraphBuilder()
    x = b.input("x", SHAPE)
    attrs = DepthwiseConv2DAttrs(padding=((1, 1), (1, 1)), clamp=RELU)
    y = b.node(Op.DEPTHWISE_CONV_2D, [x, b.random("w", (1, 3, 3, 4))], attrs)
    left_alone(b.build(b.node(Op.ADD, [x, y])))


def left_alone(graph: Graph) -> None:
    assert fold_shortcut(graph) == (graph, False)


def test_taps_that_miss_the_pixel_keep_it() -> None:
    left_alone(shortcut((2, 3), ((1, 1), (1, 1)), dilations=(2, 1)))


def test_another_reader_keeps_it() -> None:
    b = GraphBuilder()
    x = b.input("x", SHAPE)
    attrs = DepthwiseConv2DAttrs(padding=((1, 1), (1, 1)))
    y = b.node(Op.DEPTHWISE_CONV_2D, [x, b.random("w", (1, 3, 3, 4))], attrs)
    left_alone(b.build(b.node(Op.ADD, [x, y]), y))


def test_another_operand_or_more_channels_keep_it() -> None:
    b = GraphBuilder()
    attrs = DepthwiseConv2DAttrs(padding=((1, 1), (1, 1)))
    operands = [b.input("x", SHAPE), b.random("w", (1, 3, 3, 4))]
    y = b.node(Op.DEPTHWISE_CONV_2D, operands, attrs)
    left_alone(b.build(b.node(Op.ADD, [b.input("other", SHAPE), y])))
    b = GraphBuilder()
    x = b.input("x", (1, 5, 6, 1))
    y = b.node(Op.DEPTHWISE_CONV_2D, [x, b.random("w", (1, 3, 3, 4))], attrs)
    left_alone(b.build(b.node(Op.ADD, [x, y])))


def test_a_stride_keeps_it() -> None:
    b = GraphBuilder()
    x = b.input("x", (1, 1, 1, 4))
    attrs = DepthwiseConv2DAttrs(strides=(2, 2), padding=((1, 1), (1, 1)))
    y = b.node(Op.DEPTHWISE_CONV_2D, [x, b.random("w", (1, 3, 3, 4))], attrs)
    left_alone(b.build(b.node(Op.ADD, [x, y])))
