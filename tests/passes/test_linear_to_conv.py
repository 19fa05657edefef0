"""Linear layers over the pixels of a map become pointwise convolutions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support.double import assert_exact, in_double
from tests.support.graphs import GraphBuilder
from tinyflow.ir import RELU, Op, QuantParams
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.ir.ops.fully_connected import FullyConnectedAttrs
from tinyflow.passes.linear_to_conv import linear_to_conv


@pytest.mark.parametrize("shared", [False, True])
def test_pixels(shared: bool) -> None:
    b = GraphBuilder()
    weight, bias = b.random("w", (3, 5)), b.random("bias", (3,))
    x = b.input("x", (1, 2, 4, 5))
    y = b.node(Op.FULLY_CONNECTED, [x, weight, bias], FullyConnectedAttrs(RELU), name="mlp")
    outputs = [y]
    if shared:
        outputs.append(b.node(Op.FULLY_CONNECTED, [b.input("z", (1, 5)), weight]))
    graph = in_double(b.build(*outputs))
    after, changed = linear_to_conv(graph)
    assert changed
    assert linear_to_conv(after)[1] is False
    assert_exact(after, graph)
    node = after.nodes[0]
    assert (node.name, node.op, node.attrs) == ("mlp", Op.CONV_2D, Conv2DAttrs(clamp=RELU))


@pytest.mark.parametrize("shape", [(1, 5), (1, 7, 5), (1, 1, 1, 5)])
def test_vectors_and_tokens_stay(shape: tuple[int, ...]) -> None:
    b = GraphBuilder()
    graph = b.build(b.node(Op.FULLY_CONNECTED, [b.input("x", shape), b.random("w", (3, 5))]))
    assert linear_to_conv(graph) == (graph, False)


def test_scales_of_the_weight_stay() -> None:
    b = GraphBuilder()
    weight, x = b.random("w", (3, 5)), b.input("x", (1, 2, 4, 5))
    params = QuantParams.per_channel(np.float32([0.5, 0.25, 0.125]), 0)
    b.tensors[weight] = replace(b.tensors[weight], quant=params)
    after, changed = linear_to_conv(b.build(b.node(Op.FULLY_CONNECTED, [x, weight])))
    assert changed
    assert after.operands(after.nodes[0])[1].quant == params
