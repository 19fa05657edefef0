"""Averages over runs of tokens become a MEAN."""

from __future__ import annotations

import pytest

from tests.support.double import assert_exact, in_double
from tests.support.graphs import GraphBuilder
from tinyflow.ir import Graph, Op
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.passes.pool_tokens import pool_tokens


def pooled(tokens: int, attrs: PoolAttrs, shape: tuple[int, ...] | None = None) -> Graph:
    b = GraphBuilder()
    x = b.input("x", (1, tokens, 6))
    x = b.node(Op.RESHAPE, [x], ReshapeAttrs(shape or (1, 1, tokens, 6)))
    y = b.node(Op.AVERAGE_POOL, [x], attrs, name="pool")
    return b.build(b.node(Op.TANH, [y]))


@pytest.mark.parametrize("tokens", [6, 12, 14])
@pytest.mark.parametrize("across", [False, True])
def test_windows_side_by_side(tokens: int, across: bool) -> None:
    """A remainder that fills no window is dropped."""
    kernel, shape = ((4, 1), (1, tokens, 1, 6)) if across else ((1, 4), (1, 1, tokens, 6))
    graph = in_double(pooled(tokens, PoolAttrs(kernel, kernel), shape))
    after, changed = pool_tokens(graph)
    assert changed
    assert_exact(after, graph)
    mean = next(node for node in after.nodes if node.op is Op.MEAN)
    assert mean.name == "pool"
    assert mean.attrs == MeanAttrs((2,))
    assert after.operands(mean)[0].shape == (1, tokens // 4, 4, 6)
    assert (Op.SLICE in {node.op for node in after.nodes}) == (tokens != 12)


@pytest.mark.parametrize(
    ("attrs", "shape"),
    [
        (PoolAttrs((1, 4), (1, 2)), (1, 1, 12, 6)),
        (PoolAttrs((1, 4), (1, 4), ((0, 0), (0, 2))), (1, 1, 12, 6)),
        (PoolAttrs((1, 4), (1, 4)), (1, 3, 4, 6)),
        (PoolAttrs((1, 12), (1, 12)), (1, 1, 12, 6)),
        (PoolAttrs((2, 2), (2, 2)), (1, 2, 6, 6)),
    ],
)
def test_other_windows_stay(attrs: PoolAttrs, shape: tuple[int, ...]) -> None:
    graph = pooled(12, attrs, shape)
    assert pool_tokens(graph) == (graph, False)


def test_pooling_of_signals_stays() -> None:
    b = GraphBuilder()
    x = b.node(Op.TANH, [b.input("x", (1, 1, 12, 6))])
    graph = b.build(b.node(Op.AVERAGE_POOL, [x], PoolAttrs((1, 4), (1, 4))))
    assert pool_tokens(graph) == (graph, False)
