"""Divisions by the Euclidean norm become L2_NORM."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.support.double import assert_exact, in_double
from tests.support.graphs import GraphBuilder
from tinyflow.ir import Clamp, Graph, Op
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.l2_norm import L2NormAttrs
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.power import PowerAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.passes.fuse_l2_norm import fuse_l2_norm

SHAPE = (1, 3, 4, 10)


def normalized(
    b: GraphBuilder,
    axis: int = 3,
    square: Op = Op.MUL,
    keep: bool = True,
    divide: Op = Op.DIV,
    count: float | None = None,
    epsilon: float = 1e-12,
) -> str:
    x = b.input("x", SHAPE)
    if square is Op.MUL:
        y = b.node(Op.MUL, [x, x], name="square")
    else:
        y = b.node(Op.POWER, [x], PowerAttrs(2.0), name="square")
    y = b.node(Op.MEAN, [y], MeanAttrs((axis,), keep), name="mean")
    if not keep:
        full = tuple(1 if i == axis else d for i, d in enumerate(SHAPE))
        y = b.node(Op.RESHAPE, [y], ReshapeAttrs(full), name="unsqueeze")
    size = np.array(SHAPE[axis] if count is None else count, dtype=np.float32)
    y = b.node(Op.MUL, [y, b.constant("count", size)], name="sum")
    y = b.node(Op.POWER, [y], PowerAttrs(0.5), name="root")
    if epsilon:
        y = b.node(Op.CLAMP, [y], ClampAttrs(Clamp(epsilon, math.inf)), name="clip")
    if divide is Op.DIV:
        return b.node(Op.DIV, [x, y], name="divide")
    return b.node(Op.MUL, [x, b.node(Op.POWER, [y], PowerAttrs(-1.0))], name="divide")


def fused(graph: Graph) -> Graph:
    graph = in_double(graph)
    after, changed = fuse_l2_norm(graph)
    assert changed
    assert fuse_l2_norm(after)[1] is False
    assert_exact(after, graph)
    return after


@pytest.mark.parametrize("square", [Op.MUL, Op.POWER])
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("divide", [Op.DIV, Op.MUL])
def test_spellings(square: Op, keep: bool, divide: Op) -> None:
    b = GraphBuilder()
    after = fused(b.build(normalized(b, square=square, keep=keep, divide=divide)))
    node = next(node for node in after.nodes if node.op is Op.L2_NORM)
    assert node.inputs == ("x",)
    assert node.output in after.outputs
    assert node.attrs == L2NormAttrs(1e-12)
    assert {"square", "mean", "root", "clip", "divide"} <= set(node.sources)


@pytest.mark.parametrize("axis", [1, 2])
def test_other_axes_are_moved_to_the_end(axis: int) -> None:
    b = GraphBuilder()
    kinds = [node.op for node in fused(b.build(normalized(b, axis))).nodes]
    assert kinds[-3:] == [Op.TRANSPOSE, Op.L2_NORM, Op.TRANSPOSE]


@pytest.mark.parametrize("change", [{"count": 9.0}, {"epsilon": 0.0}])
def test_what_is_no_norm_stays(change: dict[str, float]) -> None:
    b = GraphBuilder()
    graph = b.build(normalized(b, **change))  # type: ignore[arg-type]
    assert fuse_l2_norm(graph) == (graph, False)


def test_the_norm_of_something_else_stays() -> None:
    b = GraphBuilder()
    x, z = b.input("x", SHAPE), b.input("z", SHAPE)
    y = b.node(Op.MEAN, [b.node(Op.MUL, [z, z])], MeanAttrs((3,), keep_dims=True))
    y = b.node(Op.MUL, [y, b.constant("count", np.array(10, dtype=np.float32))])
    y = b.node(Op.CLAMP, [b.node(Op.POWER, [y], PowerAttrs(0.5))], ClampAttrs(Clamp(1e-6, 9.0)))
    graph = b.build(b.node(Op.DIV, [x, y]))
    assert fuse_l2_norm(graph) == (graph, False)
