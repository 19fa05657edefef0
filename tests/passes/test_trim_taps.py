"""Taps that only ever see padding."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.graphs import GraphBuilder, assert_same_values
from tinyflow.ir import Graph, Op
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.ir.ops.depthwise_conv2d import DepthwiseConv2DAttrs
from tinyflow.ir.ops.spatial import extent
from tinyflow.passes.trim_taps import trim_taps


def depthwise(size: int, kernel: int, stride: int = 1) -> Graph:
    b = GraphBuilder()
    pad = (kernel // 2, kernel // 2)
    attrs = DepthwiseConv2DAttrs(strides=(stride, stride), padding=(pad, pad))
    x = b.input("x", (1, size, size, 4))
    w, bias = b.random("w", (1, kernel, kernel, 4)), b.random("b", (4,))
    return b.build(b.node(Op.DEPTHWISE_CONV_2D, [x, w, bias], attrs))


def conv(shape, kernel, strides, padding, dilations) -> Graph:
    b = GraphBuilder()
    attrs = Conv2DAttrs(strides=strides, padding=padding, dilations=dilations)
    x = b.input("x", (1, *shape, 2))
    return b.build(b.node(Op.CONV_2D, [x, b.random("w", (3, *kernel, 2))], attrs))


@pytest.mark.parametrize(("size", "kernel", "left"), [(3, 9, 5), (3, 7, 5), (1, 9, 1), (4, 9, 7)])
def test_a_kernel_wider_than_its_map(size, kernel, left):
    graph = depthwise(size, kernel)
    after, changed = trim_taps(graph)
    (node,) = after.nodes
    assert changed
    assert after.operands(node)[1].shape == (1, left, left, 4)
    assert node.attrs.padding == ((left // 2, left // 2),) * 2
    assert_same_values(after, graph)
    assert not trim_taps(after)[1]


def test_a_dilated_kernel_that_only_meets_its_centre():
    graph = conv((16, 16), (3, 3), (1, 1), ((24, 24), (12, 12)), (24, 12))
    after, _ = trim_taps(graph)
    (node,) = after.nodes
    assert after.operands(node)[1].shape == (3, 1, 3, 2)
    assert (node.attrs.dilations, node.attrs.padding) == ((1, 12), ((0, 0), (12, 12)))
    assert_same_values(after, graph)


@pytest.mark.parametrize("size", [5, 9, 16])
def test_a_kernel_that_meets_pixels_with_all_taps_stays(size):
    graph = depthwise(size, 9)
    assert trim_taps(graph) == (graph, False)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_results_stay_the_same(data):
    draw = lambda lo, hi: tuple(data.draw(st.integers(lo, hi)) for _ in range(2))  # noqa: E731
    shape, kernel, strides, dilations = draw(1, 6), draw(1, 5), draw(1, 3), draw(1, 4)
    padding = (draw(0, 9), draw(0, 9))
    if any(
        extent(s, k, t, d, p) < 1
        for s, k, t, d, p in zip(shape, kernel, strides, dilations, padding, strict=True)
    ):
        return
    graph = conv(shape, kernel, strides, padding, dilations)
    after, _ = trim_taps(graph)
    assert after.tensors[after.outputs[0]].shape == graph.tensors[graph.outputs[0]].shape
    assert_same_values(after, graph)
    weight = after.operands(after.nodes[0])[1].value
    assert np.isin(weight, graph.tensors["w"].value).all()
