"""The bias of keys, which softmax does not see."""

from __future__ import annotations

import pytest

from tests.support.double import assert_exact, in_double
from tests.support.graphs import GraphBuilder
from tinyflow.ir import RELU, Graph, Op
from tinyflow.ir.ops.attention import AttentionAttrs
from tinyflow.ir.ops.fully_connected import FullyConnectedAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.passes.drop_key_bias import drop_key_bias

ATTENTION = AttentionAttrs(2, 0.4)


def keys(b: GraphBuilder, x: str, attrs: FullyConnectedAttrs | None = None) -> str:
    return b.node(Op.FULLY_CONNECTED, [x, b.random("w", (8, 6)), b.random("b", (8,))], attrs)


def built(b: GraphBuilder, k: str, *outputs: str) -> Graph:
    q, v = b.input("q", (1, 5, 8)), b.input("v", (1, 12, 4))
    return b.build(b.node(Op.ATTENTION, [q, k, v], ATTENTION), *outputs)


@pytest.mark.parametrize("of_a_map", [False, True])
def test_it_goes(of_a_map: bool) -> None:
    b = GraphBuilder()
    k = keys(b, b.input("x", (1, 3, 4, 6) if of_a_map else (1, 12, 6)))
    if of_a_map:
        k = b.node(Op.RESHAPE, [k], ReshapeAttrs((1, 12, 8)))
    graph = in_double(built(b, k))
    after, changed = drop_key_bias(graph)
    assert changed
    assert len(after.nodes[0].inputs) == 2
    assert_exact(after, graph)
    assert drop_key_bias(after) == (after, False)


def left_alone(graph: Graph) -> None:
    assert drop_key_bias(graph) == (graph, False)


def test_not_where_something_else_reads_the_keys() -> None:
    b = GraphBuilder()
    k = keys(b, b.input("x", (1, 12, 6)))
    left_alone(built(b, k, k))
    b = GraphBuilder()
    k = keys(b, b.input("x", (1, 12, 6)))
    left_alone(b.build(b.node(Op.ATTENTION, [b.input("q", (1, 5, 8)), k, k], ATTENTION)))


def test_not_behind_an_activation_or_a_reshape_of_channels() -> None:
    b = GraphBuilder()
    left_alone(built(b, keys(b, b.input("x", (1, 12, 6)), FullyConnectedAttrs(RELU))))
    b = GraphBuilder()
    wide = b.node(
        Op.FULLY_CONNECTED, [b.input("x", (1, 6, 6)), b.random("w", (16, 6)), b.random("b", (16,))]
    )
    left_alone(built(b, b.node(Op.RESHAPE, [wide], ReshapeAttrs((1, 12, 8)))))


def test_not_the_bias_of_queries_or_values() -> None:
    b = GraphBuilder()
    q = keys(b, b.input("x", (1, 12, 6)))
    v = keys(b, b.input("y", (1, 12, 6)))
    left_alone(b.build(b.node(Op.ATTENTION, [q, b.input("k", (1, 12, 8)), v], ATTENTION)))
