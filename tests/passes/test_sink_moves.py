"""Nodes compute on operands as they are stored; what moves them ends up behind."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.double import assert_exact, in_double
from tests.support.graphs import GraphBuilder
from tinyflow.ir import Graph, Op
from tinyflow.ir.ops.attention import AttentionAttrs
from tinyflow.ir.ops.channel_gate import ChannelGateAttrs
from tinyflow.ir.ops.concat import ConcatAttrs
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.pad import PadAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.slice import SliceAttrs
from tinyflow.ir.ops.transpose import TransposeAttrs
from tinyflow.passes.transposes.sinking import sink_moves

MAP = (1, 5, 6, 4)
NCHW, NHWC = (0, 3, 1, 2), (0, 2, 3, 1)


def transpose(b: GraphBuilder, x: str, perm: tuple[int, ...]) -> str:
    return b.node(Op.TRANSPOSE, [x], TransposeAttrs(perm))


def reshape(b: GraphBuilder, x: str, *shape: int) -> str:
    return b.node(Op.RESHAPE, [x], ReshapeAttrs(shape))


def channels_first(b: GraphBuilder, name: str = "x", shape: tuple[int, ...] = MAP) -> str:
    return transpose(b, b.input(name, shape), NCHW)


def sunk(graph: Graph) -> list[Op]:
    """The operations afterwards; the result is exact."""
    graph = in_double(graph)
    after, _ = sink_moves(graph)
    assert_exact(after, graph)
    assert sink_moves(after)[1] is False
    return [node.op for node in after.nodes]


def test_tokens_of_a_map_stay_a_map() -> None:
    b = GraphBuilder()
    x = channels_first(b)
    tokens = transpose(b, reshape(b, x, 1, 4, 30), (0, 2, 1))
    y = b.node(Op.LAYER_NORM, [tokens, b.random("gamma", (4,)), b.random("beta", (4,))])
    y = b.node(Op.GELU, [b.node(Op.FULLY_CONNECTED, [y, b.random("w1", (8, 4))])])
    y = b.node(Op.FULLY_CONNECTED, [y, b.random("w2", (4, 8))])
    y = b.node(Op.MUL, [y, b.random("scale", (4,))])
    y = reshape(b, transpose(b, y, (0, 2, 1)), 1, 4, 5, 6)
    y = transpose(b, b.node(Op.ADD, [x, y]), NHWC)
    assert sunk(b.build(y)) == [
        Op.LAYER_NORM, Op.FULLY_CONNECTED, Op.GELU, Op.FULLY_CONNECTED, Op.MUL, Op.ADD,
    ]  # fmt: skip


@pytest.mark.parametrize("shape", [(4, 1, 1), (1, 4, 1, 1), (6,), (5, 1), (4, 5, 6), ()])
def test_constants_follow(shape: tuple[int, ...]) -> None:
    b = GraphBuilder()
    y = b.node(Op.DIV, [channels_first(b), b.random("c", shape, positive=True)])
    assert sunk(b.build(transpose(b, y, NHWC))) == [Op.DIV]


def test_a_constant_for_each_row_of_tokens_is_spread() -> None:
    """As seen, rows and columns are one axis; the constant differs only along part of it."""
    b = GraphBuilder()
    y = reshape(b, b.input("x", (1, 30, 4)), 1, 5, 6, 4)
    y = b.node(Op.MUL, [transpose(b, y, NCHW), b.random("c", (1, 5, 1))])
    assert sunk(b.build(reshape(b, transpose(b, y, NHWC), 1, 30, 4))) == [Op.MUL]


def test_gates_broadcast_in_stored_order() -> None:
    b = GraphBuilder()
    gate = reshape(b, b.input("gate", (1, 4)), 1, 4, 1, 1)
    y = b.node(Op.MUL, [channels_first(b), gate])
    assert sunk(b.build(transpose(b, y, NHWC))) == [Op.RESHAPE, Op.MUL]


def test_sums_of_tokens_and_maps_are_maps() -> None:
    b = GraphBuilder()
    tokens = transpose(b, b.input("t", (1, 30, 4)), (0, 2, 1))
    y = b.node(Op.ADD, [reshape(b, tokens, 1, 4, 5, 6), channels_first(b)])
    assert sunk(b.build(transpose(b, y, NHWC))) in (
        [Op.RESHAPE, Op.ADD],
        [Op.RESHAPE, Op.ADD, Op.RESHAPE],
    )


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("axes", [(2, 3), (1,), (1, 2, 3), (3,)])
def test_means(keep: bool, axes: tuple[int, ...]) -> None:
    b = GraphBuilder()
    y = b.node(Op.MEAN, [channels_first(b)], MeanAttrs(axes, keep))
    kinds = sunk(b.build(y))
    assert kinds[0] is Op.MEAN


def test_the_mean_of_tokens_is_one_of_pixels() -> None:
    b = GraphBuilder()
    tokens = reshape(b, b.input("x", MAP), 1, 30, 4)
    assert sunk(b.build(b.node(Op.MEAN, [tokens], MeanAttrs((1,))))) == [Op.MEAN]


def test_parts_borders_and_joins_of_channels() -> None:
    b = GraphBuilder()
    x, z = channels_first(b), channels_first(b, "z", (1, 5, 6, 1))
    y = b.node(Op.CONCAT, [z, x], ConcatAttrs(1))
    y = b.node(Op.SLICE, [y], SliceAttrs((0, 1, 0, 1), (1, 4, 5, 6), (1, 2, 1, 1)))
    y = b.node(Op.PAD, [y], PadAttrs(((0, 0), (0, 1), (2, 0), (0, 0)), 0.5))
    assert sunk(b.build(transpose(b, y, NHWC))) == [Op.CONCAT, Op.SLICE, Op.PAD]


def test_softmax_of_heads_that_are_part_of_the_channels() -> None:
    b = GraphBuilder()
    y = reshape(b, b.input("x", (1, 7, 12)), 1, 7, 3, 4)
    y = b.node(Op.SOFTMAX, [transpose(b, y, (0, 2, 1, 3))])
    y = reshape(b, transpose(b, y, (0, 2, 1, 3)), 1, 7, 12)
    assert sunk(b.build(y)) == [Op.RESHAPE, Op.SOFTMAX, Op.RESHAPE]


def test_last_axes_that_are_not_innermost_are_moved() -> None:
    b = GraphBuilder()
    assert sunk(b.build(b.node(Op.SOFTMAX, [channels_first(b)]))) == [Op.TRANSPOSE, Op.SOFTMAX]


def test_attention_takes_maps() -> None:
    b = GraphBuilder()
    q, k, v = (reshape(b, b.input(name, MAP), 1, 30, 4) for name in "qkv")
    y = b.node(Op.ATTENTION, [q, k, v], AttentionAttrs(2, 0.5))
    assert sunk(b.build(reshape(b, y, *MAP))) == [Op.ATTENTION]


def test_gates_of_channels_take_maps() -> None:
    b = GraphBuilder()
    tokens = reshape(b, b.input("x", MAP), 1, 30, 4)
    operands = [tokens, b.input("g", (1, 4)), b.random("scale", (4,)), b.random("shift", (4,))]
    y = b.node(Op.CHANNEL_GATE, operands, ChannelGateAttrs(residual=True))
    assert sunk(b.build(reshape(b, y, *MAP))) == [Op.CHANNEL_GATE]


def test_windows_over_tokens_cut_through_rows() -> None:
    """Seen as 3 windows of 10 tokens a map of 5 x 6 has no common axes: it is reshaped."""
    b = GraphBuilder()
    windows = reshape(b, b.input("x", MAP), 1, 3, 10, 4)
    y = b.node(Op.MEAN, [windows], MeanAttrs((2,)))
    assert sunk(b.build(b.node(Op.TANH, [y]))) == [Op.RESHAPE, Op.MEAN, Op.TANH]


def test_constants_with_other_readers_keep_their_values() -> None:
    b = GraphBuilder()
    c = b.random("c", (4, 5, 6))
    y = b.node(Op.MUL, [channels_first(b), c])
    z = b.node(Op.MUL, [b.input("z", (1, 4, 5, 6)), c])
    assert sunk(b.build(transpose(b, y, NHWC), z)) == [Op.MUL, Op.MUL]
    np.testing.assert_equal(b.tensors["c"].shape, (4, 5, 6))
