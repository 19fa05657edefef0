from __future__ import annotations

import math

import pytest

from tests.support.graphs import GraphBuilder
from tinyflow.ir import RELU, RELU6, Op
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.quantize.bounds import useful_range
from tinyflow.quantize.ranges import Range


@pytest.mark.parametrize(
    ("op", "attrs", "expected"),
    [
        (Op.CLAMP, ClampAttrs(RELU6), Range(0, 6)),
        (Op.CLAMP, ClampAttrs(RELU), Range(0, math.inf)),
        (Op.HARD_SIGMOID, None, Range(-3, 3)),
        (Op.HARD_SWISH, None, Range(-3, math.inf)),
        (Op.TANH, None, Range(-math.inf, math.inf)),
    ],
)
def test_bounds_of_a_reader(op, attrs, expected):
    b = GraphBuilder()
    x = b.input("x", (1, 4))
    graph = b.build(b.node(op, [x], attrs))
    found = useful_range(graph, ("x",))
    assert found.lo == pytest.approx(expected.lo)
    assert found.hi == pytest.approx(expected.hi)


def test_all_readers_of_a_group_count():
    b = GraphBuilder()
    x = b.input("x", (1, 4))
    flat = b.node(Op.RESHAPE, [x], ReshapeAttrs((1, 2, 2)))
    y = b.node(Op.CLAMP, [flat], ClampAttrs(RELU6))
    z = b.node(Op.HARD_SIGMOID, [x])
    members = ("x", flat)
    found = useful_range(b.build(y, z), members)
    assert (found.lo, found.hi) == (pytest.approx(-3.0), 6.0)
    assert useful_range(b.build(y, z, flat), members).hi == math.inf
