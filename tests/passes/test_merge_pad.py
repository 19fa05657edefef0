"""Explicit borders become padding of the layers that read them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.graphs import GraphBuilder, assert_same_structure, assert_same_values
from tinyflow.ir import RELU, DType, Graph, Op, QuantParams
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.ir.ops.depthwise_conv2d import DepthwiseConv2DAttrs
from tinyflow.ir.ops.pad import PadAttrs
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.passes.merge_pad import merge_pad

BORDER = ((0, 0), (1, 2), (0, 1), (0, 0))
SHAPE = (1, 6, 7, 2)


def _pad_then(op: Op, attrs: object, value: float = 0.0, relu: bool = False) -> Graph:
    b = GraphBuilder()
    y = b.input("x", SHAPE)
    if relu:
        y = b.node(Op.CLAMP, [y], ClampAttrs(RELU))
    y = b.node(Op.PAD, [y], PadAttrs(BORDER, value), name="pad")
    weights = {Op.CONV_2D: (3, 3, 3, 2), Op.DEPTHWISE_CONV_2D: (1, 3, 3, 2)}
    operands = [y, b.random("w", weights[op])] if op in weights else [y]
    return b.build(b.node(op, operands, attrs, name="layer"))  # type: ignore[arg-type]


def _merged(graph: Graph) -> Graph:
    after, changed = merge_pad(graph)
    assert changed
    assert Op.PAD not in [node.op for node in after.nodes]
    assert_same_values(after, graph)
    return after


def test_structure() -> None:
    own = ((1, 0), (0, 1))
    before = _pad_then(Op.CONV_2D, Conv2DAttrs((2, 1), own))
    e = GraphBuilder()
    expected = e.node(
        Op.CONV_2D,
        [e.input("x", SHAPE), e.random("w", (3, 3, 3, 2))],
        Conv2DAttrs((2, 1), ((2, 2), (0, 2))),
        name="layer",
        sources=("pad", "layer"),
    )
    assert_same_structure(_merged(before), e.build(expected))


def test_into_a_depthwise_convolution() -> None:
    _merged(_pad_then(Op.DEPTHWISE_CONV_2D, DepthwiseConv2DAttrs(dilations=(2, 1))))


def test_a_border_that_is_not_zero_stays() -> None:
    assert merge_pad(_pad_then(Op.CONV_2D, Conv2DAttrs(), value=1.0))[1] is False


def test_a_border_as_wide_as_the_window_stays() -> None:
    assert merge_pad(_pad_then(Op.CONV_2D, Conv2DAttrs(padding=((0, 1), (0, 0)))))[1] is False


def test_a_maximum_over_pixels_that_are_not_negative() -> None:
    attrs = PoolAttrs((3, 3), (2, 2))
    _merged(_pad_then(Op.MAX_POOL, attrs, relu=True))
    _merged(_pad_then(Op.MAX_POOL, attrs, value=-math.inf))
    assert merge_pad(_pad_then(Op.MAX_POOL, attrs))[1] is False
    assert merge_pad(_pad_then(Op.MAX_POOL, attrs, value=0.5, relu=True))[1] is False


def test_an_average_counts_the_border() -> None:
    graph = _pad_then(Op.AVERAGE_POOL, PoolAttrs((3, 3), (2, 2)), relu=True)
    assert merge_pad(graph)[1] is False


@pytest.mark.parametrize("value", [0.0, 1.5])
def test_two_borders_of_one_value(value: float) -> None:
    graph = _pad_then(Op.PAD, PadAttrs(((0, 0), (0, 1), (2, 0), (1, 0)), value), value)
    after, _ = merge_pad(graph)
    assert len(after.nodes) == 1
    assert_same_values(after, graph)


def test_two_borders_of_different_values_stay() -> None:
    graph = _pad_then(Op.PAD, PadAttrs(((0, 0), (0, 1), (2, 0), (1, 0)), 1.0))
    assert merge_pad(graph)[1] is False


def test_into_all_readers_or_none() -> None:
    b = GraphBuilder()
    padded = b.node(Op.PAD, [b.input("x", SHAPE)], PadAttrs(BORDER))
    one = b.node(Op.CONV_2D, [padded, b.random("w", (1, 3, 3, 2))])
    two = b.node(Op.CONV_2D, [padded, b.random("w", (1, 2, 3, 2))], Conv2DAttrs((1, 2)))
    assert merge_pad(b.build(one, two))[1] is False, "the second window is two rows high"
    b = GraphBuilder()
    padded = b.node(Op.PAD, [b.input("x", SHAPE)], PadAttrs(BORDER))
    one = b.node(Op.CONV_2D, [padded, b.random("w", (1, 3, 3, 2))])
    two = b.node(Op.CONV_2D, [padded, b.random("w", (1, 4, 3, 2))], Conv2DAttrs((1, 2)))
    assert len(_merged(b.build(one, two)).nodes) == 2


def test_a_border_that_is_an_output_stays() -> None:
    b = GraphBuilder()
    padded = b.node(Op.PAD, [b.input("x", SHAPE)], PadAttrs(BORDER))
    y = b.node(Op.CONV_2D, [padded, b.random("w", (1, 3, 3, 2))])
    assert merge_pad(b.build(y, padded))[1] is False


def test_in_a_quantized_graph_the_border_is_the_zero_point() -> None:
    for value, merges in ((0.0, True), (0.5, False)):
        b = GraphBuilder()
        q = QuantParams.per_tensor(0.5, 3)
        x = b.input("x", SHAPE, DType.INT8, q)
        y = b.node(Op.PAD, [x], PadAttrs(BORDER, value), quant=q)
        w = b.constant("w", np.ones((1, 3, 3, 2), np.int8), QuantParams.per_tensor(0.1))
        graph = b.build(b.node(Op.CONV_2D, [y, w], quant=QuantParams.per_tensor(1.0)))
        assert merge_pad(graph)[1] is merges


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(*[st.integers(0, 3)] * 4),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.booleans(),
)
def test_values_stay(
    border: tuple[int, int, int, int], kernel: tuple[int, int], strides: tuple[int, int], pool: bool
) -> None:
    b = GraphBuilder()
    y = b.node(Op.CLAMP, [b.input("x", SHAPE)], ClampAttrs(RELU))
    y = b.node(Op.PAD, [y], PadAttrs(((0, 0), border[:2], border[2:], (0, 0))))
    if pool:
        y = b.node(Op.MAX_POOL, [y], PoolAttrs(kernel, strides))
    else:
        y = b.node(Op.CONV_2D, [y, b.random("w", (2, *kernel, 2))], Conv2DAttrs(strides))
    graph = b.build(y)
    assert_same_values(merge_pad(graph)[0], graph)
