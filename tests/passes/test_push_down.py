"""Maps per channel that go into everything behind them: several layers, attention, gates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.support.double import assert_exact, in_double
from tests.support.graphs import GraphBuilder
from tinyflow.ir import RELU, Graph, Node, Op
from tinyflow.ir.ops.attention import AttentionAttrs
from tinyflow.ir.ops.broadcast import BinaryAttrs
from tinyflow.ir.ops.channel_gate import ChannelGateAttrs
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.ir.ops.hard_sigmoid import HardSigmoidAttrs
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.slice import SliceAttrs
from tinyflow.passes import run_passes
from tinyflow.passes.fold_batchnorm import fold_batchnorm

CHANNELS = 8


def stream(b: GraphBuilder, channels: int = CHANNELS) -> str:
    """A map that no layer with weights computes, so that nothing folds into what precedes it."""
    shape = (1, 4, 3, channels)
    return b.node(Op.ADD, [b.input("x", shape), b.input("z", shape)], name="stream")


def pointwise(
    b: GraphBuilder, x: str, out: int = CHANNELS, bias: bool = False, **attrs: Any
) -> str:
    w = b.random("w", (out, 1, 1, b.tensors[x].shape[3]))
    operands = [x, w, b.random("b", (out,))] if bias else [x, w]
    return b.node(Op.CONV_2D, operands, Conv2DAttrs(**attrs))


def linear(b: GraphBuilder, x: str, out: int = CHANNELS, bias: bool = True) -> str:
    w = b.random("w", (out, b.tensors[x].shape[-1]))
    return b.node(Op.FULLY_CONNECTED, [x, w, b.random("b", (out,))] if bias else [x, w])


def tokens(b: GraphBuilder, x: str) -> str:
    shape = b.tensors[x].shape
    return b.node(Op.RESHAPE, [x], ReshapeAttrs((1, shape[1] * shape[2], shape[3])))


def folded(graph: Graph) -> Graph:
    double = in_double(graph)
    after, changed = fold_batchnorm(double)
    assert changed
    assert_exact(after, double)
    assert fold_batchnorm(after)[1] is False
    assert Op.BATCH_NORM not in ops(after)
    return after


def ops(graph: Graph) -> list[Op]:
    return [node.op for node in graph.nodes]


def left_alone(graph: Graph) -> None:
    assert fold_batchnorm(graph) == (graph, False)


def test_into_several_layers() -> None:
    b = GraphBuilder()
    normed = b.batch_norm(stream(b), "bn")
    after = folded(b.build(pointwise(b, normed), linear(b, normed), pointwise(b, normed, 3)))
    assert ops(after) == [Op.ADD, Op.CONV_2D, Op.FULLY_CONNECTED, Op.CONV_2D]
    assert all(node.sources[0] == "bn" for node in after.nodes[1:])


def test_not_where_one_of_several_layers_cannot() -> None:
    b = GraphBuilder()
    normed = b.batch_norm(stream(b))
    left_alone(b.build(pointwise(b, normed), b.node(Op.GELU, [normed])))


def test_not_where_one_of_several_layers_pads() -> None:
    b = GraphBuilder()
    normed = b.batch_norm(stream(b))
    padded = b.node(
        Op.CONV_2D,
        [normed, b.random("w", (3, 3, 3, CHANNELS))],
        Conv2DAttrs(padding=((1, 1), (1, 1))),
    )
    left_alone(b.build(pointwise(b, normed), padded))


def test_not_where_the_map_is_an_output() -> None:
    b = GraphBuilder()
    normed = b.batch_norm(stream(b))
    left_alone(b.build(pointwise(b, normed), normed))


def test_not_where_a_layer_computes_its_weights() -> None:
    b = GraphBuilder()
    normed = tokens(b, b.batch_norm(stream(b)))
    w = b.node(Op.RESHAPE, [b.input("w", (1, 5, CHANNELS))], ReshapeAttrs((5, CHANNELS)))
    left_alone(b.build(b.node(Op.FULLY_CONNECTED, [normed, w])))


def test_slices_share_a_map_out() -> None:
    b = GraphBuilder()
    normed = b.batch_norm(stream(b))
    parts = [
        b.node(Op.SLICE, [normed], SliceAttrs((0, 0, 0, lo), (1, 4, 3, hi), (1, 1, 1, step)))
        for lo, hi, step in ((0, 3, 1), (3, 8, 2))
    ]
    after = folded(b.build(*(pointwise(b, part) for part in parts)))
    assert sorted(op.value for op in ops(after)) == ["ADD", "CONV_2D", "CONV_2D", "SLICE", "SLICE"]


def test_pooled_tokens_and_tokens() -> None:
    """Next-ViT: queries of all tokens, keys and values of averages, each normalized again."""
    b = GraphBuilder()
    normed = b.batch_norm(tokens(b, stream(b)), "norm1")
    row = b.node(Op.RESHAPE, [normed], ReshapeAttrs((1, 1, 12, CHANNELS)))
    pooled = b.node(Op.AVERAGE_POOL, [row], PoolAttrs((1, 5), (1, 5)))
    pooled = b.batch_norm(b.node(Op.RESHAPE, [pooled], ReshapeAttrs((1, 2, CHANNELS))), "norm")
    q, k, v = linear(b, normed), linear(b, pooled), linear(b, pooled)
    graph = b.build(linear(b, b.node(Op.ATTENTION, [q, k, v], AttentionAttrs(2, 0.5))))
    after = folded(graph)
    assert ops(after).count(Op.FULLY_CONNECTED) == 4
    settled = run_passes(in_double(graph))
    assert_exact(settled, in_double(graph))
    keys = settled.producer(attention(settled).inputs[1])
    assert keys is not None
    assert len(keys.inputs) == 2
    assert keys.sources[:2] == ("norm1", "norm")


def attention(graph: Graph) -> Node:
    (node,) = [node for node in graph.nodes if node.op is Op.ATTENTION]
    return node


def tinynext_attention(
    b: GraphBuilder, normed: str, project: Callable[[GraphBuilder, str], str] = pointwise
) -> str:
    operands = [project(b, normed), normed, project(b, normed)]
    return b.node(Op.ATTENTION, operands, AttentionAttrs(1, CHANNELS**-0.5), name="attention")


@pytest.mark.parametrize("as_tokens", [False, True])
def test_keys_without_a_projection(as_tokens: bool) -> None:
    """TinyNeXt: the scale goes over to the queries, the offset drops out, keys are raw."""
    b = GraphBuilder()
    x = stream(b)
    normed = b.batch_norm(x, "bn")
    if as_tokens:
        normed = tokens(b, normed)
        y = tinynext_attention(b, normed, lambda b, t: linear(b, t, bias=False))
        y = b.node(Op.RESHAPE, [y], ReshapeAttrs(b.tensors[x].shape))
    else:
        y = tinynext_attention(b, normed)
    after = folded(b.build(b.node(Op.ADD, [x, y])))
    assert Op.BATCH_NORM not in ops(after)
    assert ops(after).count(Op.ATTENTION) == 1
    node = attention(after)
    raw = after.producer(node.inputs[1]) if as_tokens else None
    assert (raw.inputs[0] if raw is not None else node.inputs[1]) == x


def test_queries_by_another_path_take_the_scale_of_the_keys() -> None:
    b = GraphBuilder()
    normed = b.batch_norm(stream(b))
    queries = tokens(b, pointwise(b, b.input("other", (1, 4, 3, CHANNELS)), bias=True))
    y = b.node(Op.ATTENTION, [queries, tokens(b, normed), linear(b, tokens(b, normed))])
    folded(b.build(y))


def test_values_hand_the_map_on() -> None:
    b = GraphBuilder()
    normed = b.batch_norm(stream(b))
    q, k = b.input("q", (1, 5, 4)), b.input("k", (1, 12, 4))
    y = b.node(Op.ATTENTION, [q, k, normed], AttentionAttrs(2, 0.7))
    after = folded(b.build(linear(b, y)))
    assert ops(after) == [Op.ADD, Op.ATTENTION, Op.FULLY_CONNECTED]


NOT_IN_ATTENTION: dict[str, Callable[[GraphBuilder, str], list[str]]] = {
    "raw queries": lambda b, x: [x, pointwise(b, x), pointwise(b, x)],
    "keys and queries are one": lambda b, x: [x, x, pointwise(b, x)],
    "queries that something else reads": lambda b, x: [shared(b, x), x, pointwise(b, x)],
    "queries with an activation": lambda b, x: [
        pointwise(b, x, clamp=RELU),
        x,
        pointwise(b, x),
    ],
    "queries of no layer": lambda b, x: [b.input("q", (1, 4, 3, CHANNELS)), x, pointwise(b, x)],
}


def shared(b: GraphBuilder, x: str) -> str:
    y = pointwise(b, x)
    b.node(Op.TANH, [y], name="other reader")
    return y


@pytest.mark.parametrize("case", NOT_IN_ATTENTION)
def test_not_into_attention(case: str) -> None:
    b = GraphBuilder()
    normed = b.batch_norm(stream(b))
    left_alone(b.build(b.node(Op.ATTENTION, NOT_IN_ATTENTION[case](b, normed))))


def test_not_where_the_result_of_attention_cannot_take_the_values_map() -> None:
    b = GraphBuilder()
    x = stream(b)
    normed = b.batch_norm(x)
    y = b.node(Op.ATTENTION, [pointwise(b, x), pointwise(b, x), normed])
    left_alone(b.build(b.node(Op.ADD, [x, y])))


def squeezed(b: GraphBuilder, u: str, x: str | None = None) -> str:
    """u * gate(mean(u)), and x on top."""
    pooled = b.node(Op.MEAN, [u], MeanAttrs((1, 2), keep_dims=True))
    gate = pointwise(b, pointwise(b, pooled, 3, clamp=RELU))
    gate = b.node(Op.HARD_SIGMOID, [gate], HardSigmoidAttrs(), name="gate")
    y = b.node(Op.MUL, [u, gate], name="excite")
    return y if x is None else b.node(Op.ADD, [x, y], name="sum")


def test_squeeze_and_excite_of_a_normalized_map() -> None:
    """TinyNeXt: all of x + SE(BN(x)) is one layer behind the gate."""
    b = GraphBuilder()
    x = stream(b)
    graph = in_double(b.build(squeezed(b, b.batch_norm(x, "bn"), x)))
    after = run_passes(graph)
    assert_exact(after, graph)
    assert ops(after) == [Op.ADD, Op.MEAN, Op.CONV_2D, Op.CONV_2D, Op.CHANNEL_GATE]
    gate = after.nodes[-1]
    assert gate.attrs == ChannelGateAttrs(residual=True)
    assert gate.inputs[0] == "stream:0"
    assert gate.sources == ("bn", "excite", "sum")


def test_a_gate_takes_a_second_map_up() -> None:
    b = GraphBuilder()
    gate = b.input("g", (1, 1, 1, CHANNELS))
    constants = [b.random("scale", (CHANNELS,)), b.random("shift", (CHANNELS,))]
    y = b.node(Op.CHANNEL_GATE, [b.batch_norm(stream(b)), gate, *constants])
    assert ops(folded(b.build(y))) == [Op.ADD, Op.CHANNEL_GATE]


@pytest.mark.parametrize("case", ["residual", "the gate", "activation", "full size", "square"])
def test_not_into_every_product(case: str) -> None:
    b = GraphBuilder()
    normed = b.batch_norm(stream(b))
    gate = b.input("g", (1, 4, 3, CHANNELS) if case == "full size" else (1, 1, 1, CHANNELS))
    constants = [b.random("scale", (CHANNELS,)), b.random("shift", (CHANNELS,))]
    if case == "residual":
        attrs = ChannelGateAttrs(residual=True)
        left_alone(b.build(b.node(Op.CHANNEL_GATE, [normed, gate, *constants], attrs)))
    elif case == "the gate":
        one = b.batch_norm(b.node(Op.ADD, [gate, gate]))
        left_alone(b.build(b.node(Op.MUL, [b.input("m", (1, 4, 3, CHANNELS)), one])))
    elif case == "activation":
        left_alone(b.build(b.node(Op.MUL, [normed, gate], BinaryAttrs(RELU))))
    elif case == "full size":
        left_alone(b.build(b.node(Op.MUL, [normed, gate])))
    else:
        left_alone(b.build(b.node(Op.MUL, [normed, normed])))


def test_a_head() -> None:
    """A norm, the mean over the map and a linear layer."""
    b = GraphBuilder()
    y = b.node(Op.MEAN, [b.batch_norm(stream(b))], MeanAttrs((1, 2)))
    assert ops(folded(b.build(linear(b, y, 5)))) == [Op.ADD, Op.MEAN, Op.FULLY_CONNECTED]


def test_layer_scale_goes_into_the_layer_before_it() -> None:
    b = GraphBuilder()
    x = stream(b)
    y = linear(b, b.node(Op.GELU, [linear(b, tokens(b, x), 16)]))
    y = b.node(Op.MUL, [b.random("gamma", (CHANNELS,)), y])
    y = b.node(Op.RESHAPE, [y], ReshapeAttrs((1, 4, 3, CHANNELS)))
    graph = in_double(b.build(b.node(Op.ADD, [x, y])))
    after = run_passes(graph)
    assert_exact(after, graph)
    assert Op.MUL not in ops(after)


def test_layer_scale_stays_where_the_layer_has_another_reader() -> None:
    b = GraphBuilder()
    y = linear(b, stream(b))
    graph = b.build(b.node(Op.MUL, [y, b.random("gamma", (CHANNELS,))]), y)
    left_alone(graph)


def test_weights_that_overflow_leave_everything_as_it_was() -> None:
    b = GraphBuilder()
    scaled = b.node(
        Op.MUL, [stream(b), b.constant("k", np.linspace(1, 3e38, CHANNELS, dtype=np.float32))]
    )
    huge = b.constant("w", np.full((2, 1, 1, CHANNELS), 1e3, np.float32))
    left_alone(b.build(pointwise(b, scaled), b.node(Op.CONV_2D, [scaled, huge])))
