"""Layers whose results are only read in parts become one layer for each part."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.double import assert_exact, in_double
from tests.support.graphs import GraphBuilder
from tinyflow.ir import RELU, Graph, Node, Op
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.concat import ConcatAttrs
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.ir.ops.fully_connected import FullyConnectedAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.slice import SliceAttrs
from tinyflow.ir.ops.transpose import TransposeAttrs
from tinyflow.passes.split_projections import split_projections


def part(b: GraphBuilder, x: str, axis: int, begin: int, end: int, stride: int = 1) -> str:
    shape = b.tensors[x].shape
    first, last, strides = [0] * len(shape), list(shape), [1] * len(shape)
    first[axis], last[axis], strides[axis] = begin, end, stride
    return b.node(Op.SLICE, [x], SliceAttrs(tuple(first), tuple(last), tuple(strides)))


def projection(b: GraphBuilder, outputs: int = 18, tokens: int = 7) -> str:
    x = b.input("x", (1, tokens, 5))
    inputs = [x, b.random("w", (outputs, 5)), b.random("bias", (outputs,))]
    return b.node(Op.FULLY_CONNECTED, inputs, FullyConnectedAttrs(RELU), name="qkv")


def split(graph: Graph) -> Graph:
    graph = in_double(graph)
    after, changed = split_projections(graph)
    assert changed
    assert split_projections(after)[1] is False
    assert_exact(after, graph)
    return after


def unsplit(graph: Graph) -> None:
    assert split_projections(graph) == (graph, False)


def layers(after: Graph) -> list[Node]:
    return [node for node in after.nodes if node.op in (Op.FULLY_CONNECTED, Op.CONV_2D)]


@pytest.mark.parametrize("perm", [(0, 2, 3, 1, 4), (0, 2, 3, 4, 1)])
@pytest.mark.parametrize("shape", [(3, 2, 3), (2, 3, 3)])
def test_queries_keys_and_values_of_heads(
    perm: tuple[int, ...], shape: tuple[int, int, int]
) -> None:
    """With the three as the outer or the inner factor of the channels."""
    b = GraphBuilder()
    y = b.node(Op.RESHAPE, [projection(b)], ReshapeAttrs((1, 7, *shape)))
    y = b.node(Op.TRANSPOSE, [y], TransposeAttrs(perm))
    axis = 1 if shape[0] == 3 else 2
    parts = []
    for i in range(3):
        z = part(b, y, axis, i, i + 1)
        squeezed = tuple(d for a, d in enumerate(b.tensors[z].shape) if a != axis)
        parts.append(b.node(Op.RESHAPE, [z], ReshapeAttrs(squeezed), name=f"part_{i}"))
    after = split(b.build(*parts))
    assert [node.name for node in layers(after)] == ["qkv.q", "qkv.k", "qkv.v"]
    assert {node.sources for node in layers(after)} == {("qkv",)}
    assert {after.result(node).shape for node in layers(after)} == {(1, 7, 6)}
    assert Op.SLICE not in {node.op for node in after.nodes}
    rows = np.arange(18).reshape(shape)
    rows = rows[1] if shape[0] == 3 else rows[:, 1]
    weight = after.tensors[layers(after)[1].inputs[1]].value
    np.testing.assert_array_equal(weight, b.tensors["w"].value[rows.ravel()])


def test_unequal_parts_are_numbered_and_unread_channels_go() -> None:
    b = GraphBuilder()
    y = projection(b)
    after = split(b.build(part(b, y, 2, 2, 9), part(b, y, 2, 9, 10), part(b, y, 2, 12, 18, 2)))
    assert [node.name for node in layers(after)] == ["qkv.0", "qkv.1", "qkv.2"]
    assert [after.result(node).shape[-1] for node in layers(after)] == [7, 1, 3]


def test_readers_of_the_same_channels_share_a_layer() -> None:
    b = GraphBuilder()
    y = projection(b)
    first, again, rest = (part(b, y, 2, *ends) for ends in ((0, 8), (0, 8), (8, 18)))
    after = split(b.build(b.node(Op.ADD, [first, b.node(Op.TANH, [again])]), rest))
    assert len(layers(after)) == 2


def test_channels_of_a_convolution_seen_channels_first() -> None:
    b = GraphBuilder()
    inputs = [b.input("x", (1, 5, 6, 3)), b.random("w", (8, 3, 3, 3))]
    y = b.node(Op.CONV_2D, inputs, Conv2DAttrs(padding=((1, 1), (1, 1))), name="conv")
    y = b.node(Op.TRANSPOSE, [y], TransposeAttrs((0, 3, 1, 2)))
    halves = [part(b, y, 1, 0, 4), part(b, y, 1, 4, 8)]
    after = split(b.build(b.node(Op.CONCAT, halves[::-1], ConcatAttrs(2))))
    assert [node.name for node in layers(after)] == ["conv.0", "conv.1"]
    assert [node.attrs for node in layers(after)] == [Conv2DAttrs(padding=((1, 1), (1, 1)))] * 2


def test_layers_that_are_read_as_a_whole_too_stay() -> None:
    b = GraphBuilder()
    y = projection(b)
    unsplit(b.build(part(b, y, 2, 0, 9), b.node(Op.CLAMP, [y], ClampAttrs(RELU))))
    b = GraphBuilder()
    y = projection(b)
    unsplit(b.build(part(b, y, 2, 0, 9), y))


def test_parts_that_overlap_stay() -> None:
    b = GraphBuilder()
    y = projection(b)
    unsplit(b.build(part(b, y, 2, 0, 10), part(b, y, 2, 9, 18)))


def test_parts_of_the_tokens_stay() -> None:
    b = GraphBuilder()
    y = projection(b)
    unsplit(b.build(part(b, y, 1, 0, 3), part(b, y, 1, 3, 7)))


def test_groups_stay_together() -> None:
    b = GraphBuilder()
    inputs = [b.input("x", (1, 5, 6, 4)), b.random("w", (8, 1, 1, 2))]
    y = b.node(Op.CONV_2D, inputs, Conv2DAttrs(groups=2))
    unsplit(b.build(part(b, y, 3, 0, 4), part(b, y, 3, 4, 8)))
