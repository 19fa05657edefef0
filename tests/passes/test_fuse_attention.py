"""Two matrix products around a SOFTMAX become ATTENTION where that moves nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.support.double import assert_exact, in_double
from tests.support.graphs import GraphBuilder
from tinyflow.ir import Graph, Op
from tinyflow.ir.ops.attention import AttentionAttrs
from tinyflow.ir.ops.matmul import MatmulAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.softmax import SoftmaxAttrs
from tinyflow.ir.ops.transpose import TransposeAttrs
from tinyflow.passes.fuse_attention import fuse_attention
from tinyflow.passes.remove_dead import remove_dead
from tinyflow.passes.remove_transposes import remove_transposes

TOKENS, KEYS, HEADS, DEPTH, WIDTH = 6, 5, 3, 4, 2


def scaled(b: GraphBuilder, x: str, factor: float, op: Op = Op.MUL) -> str:
    return b.node(op, [x, b.constant("factor", np.array(factor, dtype=np.float32))])


def heads(b: GraphBuilder, x: str, perm: tuple[int, ...], count: int = HEADS) -> str:
    _, tokens, channels = b.tensors[x].shape
    x = b.node(Op.RESHAPE, [x], ReshapeAttrs((1, tokens, count, channels // count)))
    return b.node(Op.TRANSPOSE, [x], TransposeAttrs(perm))


def operands(b: GraphBuilder) -> tuple[str, str, str]:
    return (
        b.input("q", (1, TOKENS, HEADS * DEPTH)),
        b.input("k", (1, KEYS, HEADS * DEPTH)),
        b.input("v", (1, KEYS, HEADS * WIDTH)),
    )


def joined(b: GraphBuilder, y: str) -> str:
    y = b.node(Op.TRANSPOSE, [y], TransposeAttrs((0, 2, 1, 3)))
    return b.node(Op.RESHAPE, [y], ReshapeAttrs((1, TOKENS, HEADS * WIDTH)))


def fused(graph: Graph) -> Graph:
    """After the pass and what cleans up behind it; the result is exact."""
    graph = in_double(graph)
    after, changed = fuse_attention(graph)
    assert changed
    assert fuse_attention(after)[1] is False
    assert_exact(after, graph)
    after, _ = remove_transposes(remove_dead(after)[0])
    assert_exact(after, graph)
    return after


def attention_of(after: Graph) -> AttentionAttrs:
    (node,) = after.nodes
    assert node.op is Op.ATTENTION
    assert isinstance(node.attrs, AttentionAttrs)
    return node.attrs


@pytest.mark.parametrize("place", ["scores", "divided", "queries", "keys", "both", "beta"])
def test_the_scale_may_be_anywhere(place: str) -> None:
    b = GraphBuilder()
    q, k, v = operands(b)
    factor, beta = 1 / math.sqrt(DEPTH), 1.0
    if place in ("queries", "both"):
        q = scaled(b, q, factor if place == "queries" else math.sqrt(factor))
    q, k, v = heads(b, q, (0, 2, 1, 3)), heads(b, k, (0, 2, 3, 1)), heads(b, v, (0, 2, 1, 3))
    if place in ("keys", "both"):
        k = scaled(b, k, factor if place == "keys" else math.sqrt(factor))
    scores = b.node(Op.MATMUL, [q, k])
    if place == "scores":
        scores = scaled(b, scores, factor)
    elif place == "divided":
        scores = scaled(b, scores, math.sqrt(DEPTH), Op.DIV)
    elif place == "beta":
        beta = factor
    weights = b.node(Op.SOFTMAX, [scores], SoftmaxAttrs(beta))
    y = joined(b, b.node(Op.MATMUL, [weights, v], name="mix"))
    after = fused(b.build(y))
    assert attention_of(after).heads == HEADS
    assert attention_of(after).scale == pytest.approx(factor, rel=1e-6)
    assert after.nodes[0].name == "mix"
    assert after.nodes[0].inputs == ("q", "k", "v")


def test_flags_of_the_products_do_not_matter() -> None:
    b = GraphBuilder()
    q, k, v = operands(b)
    q, k, v = heads(b, q, (0, 2, 3, 1)), heads(b, k, (0, 2, 1, 3)), heads(b, v, (0, 2, 3, 1))
    weights = b.node(Op.SOFTMAX, [b.node(Op.MATMUL, [q, k], MatmulAttrs(True, True))])
    y = b.node(Op.MATMUL, [weights, v], MatmulAttrs(transpose_b=True))
    assert attention_of(fused(b.build(joined(b, y)))) == AttentionAttrs(HEADS, 1.0)


def test_one_head_needs_no_axis_of_its_own() -> None:
    """The keys are the tokens themselves, channels first as a convolution leaves them."""
    b = GraphBuilder()
    x = b.input("x", (1, 2, 3, 8))
    image = b.node(Op.TRANSPOSE, [x], TransposeAttrs((0, 3, 1, 2)))
    keys = b.node(Op.RESHAPE, [image], ReshapeAttrs((1, 8, 6)))
    tokens = b.node(Op.TRANSPOSE, [keys], TransposeAttrs((0, 2, 1)))
    q = b.node(Op.FULLY_CONNECTED, [tokens, b.random("wq", (8, 8))])
    v = b.node(Op.FULLY_CONNECTED, [tokens, b.random("wv", (8, 8))])
    scores = scaled(b, b.node(Op.MATMUL, [q, keys]), 8**-0.5)
    y = b.node(Op.MATMUL, [b.node(Op.SOFTMAX, [scores]), v])
    y = b.node(Op.TRANSPOSE, [y], TransposeAttrs((0, 2, 1)))
    y = b.node(Op.RESHAPE, [y], ReshapeAttrs((1, 8, 2, 3)))
    y = b.node(Op.ADD, [image, y])
    after = fused(b.build(y))
    kinds = [node.op for node in after.nodes]
    assert kinds == [Op.FULLY_CONNECTED, Op.FULLY_CONNECTED, Op.ATTENTION, Op.ADD]
    assert {after.result(node).shape for node in after.nodes} == {(1, 2, 3, 8)}


def unfused(graph: Graph) -> None:
    assert fuse_attention(graph) == (graph, False)


def plain(b: GraphBuilder) -> tuple[str, str, str]:
    """Scores, weights and result of attention with one head."""
    q, k, v = (b.input(name, (1, 6, 8)) for name in "qkv")
    scores = b.node(Op.MATMUL, [q, k], MatmulAttrs(transpose_b=True))
    weights = b.node(Op.SOFTMAX, [scores])
    return scores, weights, b.node(Op.MATMUL, [weights, v])


@pytest.mark.parametrize("index", [0, 1])
def test_scores_or_weights_that_something_else_needs_are_computed(index: int) -> None:
    b = GraphBuilder()
    values = plain(b)
    unfused(b.build(values[index], values[2]))


def test_operands_that_would_have_to_be_moved_stay() -> None:
    b = GraphBuilder()
    q, k, v = (b.input(name, (1, 3, 6, 8)) for name in "qkv")
    scores = b.node(Op.MATMUL, [q, k], MatmulAttrs(transpose_b=True))
    unfused(b.build(b.node(Op.MATMUL, [b.node(Op.SOFTMAX, [scores]), v])))


def test_a_mask_stays() -> None:
    b = GraphBuilder()
    q, k, v = (b.input(name, (1, 6, 8)) for name in "qkv")
    scores = b.node(Op.MATMUL, [q, k], MatmulAttrs(transpose_b=True))
    masked = b.node(Op.ADD, [scores, b.random("mask", (1, 6, 6))])
    unfused(b.build(b.node(Op.MATMUL, [b.node(Op.SOFTMAX, [masked]), v])))


def test_all_source_layers_stay_on_record() -> None:
    b = GraphBuilder()
    q, k, v = (b.input(name, (1, 6, 8)) for name in "qkv")
    scores = b.node(Op.MATMUL, [q, k], MatmulAttrs(transpose_b=True), name="product")
    weights = b.node(Op.SOFTMAX, [scores], name="softmax")
    after = fused(b.build(b.node(Op.MATMUL, [weights, v], name="mix")))
    assert after.nodes[0].sources == ("product", "softmax", "mix")
