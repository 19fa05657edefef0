"""Attention between normalised channels becomes CROSS_COVARIANCE."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.double import assert_exact, in_double
from tests.support.graphs import GraphBuilder
from tinyflow.ir import Graph, Op
from tinyflow.ir.ops.cross_covariance import CrossCovarianceAttrs
from tinyflow.ir.ops.l2_norm import L2NormAttrs
from tinyflow.ir.ops.matmul import MatmulAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.transpose import TransposeAttrs
from tinyflow.passes.fuse_attention import fuse_attention
from tinyflow.passes.fuse_cross_covariance import fuse_cross_covariance
from tinyflow.passes.remove_dead import remove_dead
from tinyflow.passes.remove_transposes import remove_transposes

TOKENS, HEADS, DEPTH = 9, 3, 4
CHANNELS = HEADS * DEPTH


def channels(b: GraphBuilder, x: str) -> str:
    """[1, n, c] as [1, heads, d, n]."""
    x = b.node(Op.RESHAPE, [x], ReshapeAttrs((1, TOKENS, HEADS, DEPTH)))
    return b.node(Op.TRANSPOSE, [x], TransposeAttrs((0, 2, 3, 1)))


def network(flag: bool = False, shape: tuple[int, ...] = (HEADS, 1, 1), seed: int = 0) -> Graph:
    b = GraphBuilder(seed=seed)
    q, k, v = (channels(b, b.input(name, (1, TOKENS, CHANNELS))) for name in "qkv")
    q, k = (b.node(Op.L2_NORM, [x], L2NormAttrs(1e-12)) for x in (q, k))
    if not flag:
        k = b.node(Op.TRANSPOSE, [k], TransposeAttrs((0, 1, 3, 2)))
    scores = b.node(Op.MATMUL, [q, k], MatmulAttrs(transpose_b=flag))
    scores = b.node(Op.MUL, [scores, b.random("temperature", shape)])
    y = b.node(Op.MATMUL, [b.node(Op.SOFTMAX, [scores]), v], name="mix")
    y = b.node(Op.TRANSPOSE, [y], TransposeAttrs((0, 3, 1, 2)))
    return b.build(b.node(Op.RESHAPE, [y], ReshapeAttrs((1, TOKENS, CHANNELS))))


@pytest.mark.parametrize("flag", [False, True])
@pytest.mark.parametrize("shape", [(HEADS, 1, 1), (1, HEADS, 1, 1), ()])
def test_heads_side_by_side(flag: bool, shape: tuple[int, ...]) -> None:
    graph = in_double(network(flag, shape))
    after, changed = fuse_cross_covariance(graph)
    assert changed
    assert_exact(after, graph)
    after, _ = remove_transposes(remove_dead(after)[0])
    assert_exact(after, graph)
    (node,) = after.nodes
    assert node.op is Op.CROSS_COVARIANCE
    assert node.name == "mix"
    assert node.attrs == CrossCovarianceAttrs(HEADS, 1e-12)
    assert node.inputs[:3] == ("q", "k", "v")
    wanted = np.broadcast_to(graph.tensors["temperature"].value.ravel(), HEADS)
    np.testing.assert_allclose(after.tensors[node.inputs[3]].value, wanted)


def test_it_is_not_attention_between_tokens() -> None:
    graph = network()
    assert fuse_attention(graph) == (graph, False)


def test_a_factor_for_each_channel_stays() -> None:
    graph = network(shape=(HEADS, DEPTH, 1))
    assert fuse_cross_covariance(graph) == (graph, False)


def test_products_without_norms_stay() -> None:
    b = GraphBuilder()
    q, k, v = (channels(b, b.input(name, (1, TOKENS, CHANNELS))) for name in "qkv")
    scores = b.node(Op.MATMUL, [q, k], MatmulAttrs(transpose_b=True))
    graph = b.build(b.node(Op.MATMUL, [b.node(Op.SOFTMAX, [scores]), v]))
    assert fuse_cross_covariance(graph) == (graph, False)


def test_a_norm_along_the_channels_stays() -> None:
    """Cosine attention between tokens divides by other norms."""
    b = GraphBuilder()
    q, k, v = (b.input(name, (1, TOKENS, CHANNELS)) for name in "qkv")
    q, k = (b.node(Op.L2_NORM, [x]) for x in (q, k))
    scores = b.node(Op.MATMUL, [q, k], MatmulAttrs(transpose_b=True))
    graph = b.build(b.node(Op.MATMUL, [b.node(Op.SOFTMAX, [scores]), v]))
    assert fuse_cross_covariance(graph) == (graph, False)
    assert fuse_attention(graph)[1]
