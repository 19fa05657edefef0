"""LayerNorm: recognised in its steps, and its affine part folded into what is behind it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.support.double import assert_exact, in_double
from tests.support.graphs import GraphBuilder
from tinyflow.ir import RELU, Graph, Op
from tinyflow.ir.ops.broadcast import BinaryAttrs
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.ir.ops.layer_norm import LayerNormAttrs
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.power import PowerAttrs
from tinyflow.passes import run_passes
from tinyflow.passes.fold_layer_norm import fold_layer_norm
from tinyflow.passes.fuse_layer_norm import fuse_layer_norm

LAST = (1, 4, 3, 6)
EPSILON = 2.0**-20


def mean(b: GraphBuilder, x: str, axis: int) -> str:
    return b.node(Op.MEAN, [x], MeanAttrs((axis,), keep_dims=True))


def number(b: GraphBuilder, value: float) -> str:
    return b.constant("number", np.full((1,), value, np.float32))


def squared(b: GraphBuilder, x: str) -> str:
    return b.node(Op.POWER, [x], PowerAttrs(2.0))


def product(b: GraphBuilder, x: str) -> str:
    return b.node(Op.MUL, [x, x])


def divided(b: GraphBuilder, value: str, variance: str) -> str:
    return b.node(Op.DIV, [value, b.node(Op.POWER, [variance], PowerAttrs(0.5))])


def by_power(b: GraphBuilder, value: str, variance: str) -> str:
    return b.node(Op.MUL, [b.node(Op.POWER, [variance], PowerAttrs(-0.5)), value])


def by_quotient(b: GraphBuilder, value: str, variance: str) -> str:
    root = b.node(Op.POWER, [variance], PowerAttrs(0.5))
    return b.node(Op.MUL, [value, b.node(Op.DIV, [number(b, 1.0), root])])


def by_inverse(b: GraphBuilder, value: str, variance: str) -> str:
    root = b.node(Op.POWER, [variance], PowerAttrs(0.5))
    return b.node(Op.MUL, [value, b.node(Op.POWER, [root], PowerAttrs(-1.0))])


Step = Callable[..., str]


def in_steps(
    b: GraphBuilder,
    x: str,
    axis: int,
    square: Step = squared,
    divide: Step = divided,
    twice: bool = False,
) -> str:
    centred = b.node(Op.SUB, [x, mean(b, x, axis)])
    other = b.node(Op.SUB, [x, mean(b, x, axis)]) if twice else centred
    variance = b.node(Op.ADD, [mean(b, square(b, other), axis), number(b, EPSILON)])
    return divide(b, centred, variance)


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("divide", [divided, by_power, by_quotient, by_inverse])
@pytest.mark.parametrize("square", [squared, product])
def test_all_spellings(square: Step, divide: Step, twice: bool) -> None:
    b = GraphBuilder()
    graph = in_double(b.build(in_steps(b, b.input("x", LAST), 3, square, divide, twice)))
    after, changed = fuse_layer_norm(graph)
    assert changed
    (node,) = after.nodes
    assert (node.op, node.inputs, node.attrs) == (Op.LAYER_NORM, ("x",), LayerNormAttrs(EPSILON))
    assert node.sources == tuple(n.name for n in graph.nodes)
    assert node.name == graph.nodes[-1].name
    assert_exact(after, graph)


@pytest.mark.parametrize("shape", [(1, 6, 4, 3), (1, 6, 5)])
def test_channels_first(shape: tuple[int, ...]) -> None:
    b = GraphBuilder()
    x = b.input("x", shape)
    gamma, beta = (b.random(name, (6, *[1] * (len(shape) - 2))) for name in ("gamma", "beta"))
    y = b.node(Op.ADD, [b.node(Op.MUL, [gamma, in_steps(b, x, 1)]), beta])
    graph = in_double(b.build(y))
    assert_exact(fuse_layer_norm(graph)[0], graph)
    after = run_passes(graph)
    assert_exact(after, graph)
    assert [n.op for n in after.nodes] == [Op.LAYER_NORM]
    assert len(after.nodes[0].inputs) == 3
    assert set(after.nodes[0].sources) == {n.name for n in graph.nodes}


def test_a_factor_in_each_channel_behind_a_plain_one() -> None:
    b = GraphBuilder()
    y = b.node(Op.LAYER_NORM, [b.input("x", LAST)])
    y = b.node(Op.MUL, [y, b.random("gamma", (6,))])
    graph = in_double(b.build(b.node(Op.ADD, [y, b.random("beta", (6,))], BinaryAttrs(RELU))))
    after = run_passes(graph)
    assert_exact(after, graph)
    assert [n.op for n in after.nodes] == [Op.LAYER_NORM, Op.CLAMP]


def _without_epsilon(b: GraphBuilder, x: str) -> str:
    centred = b.node(Op.SUB, [x, mean(b, x, 3)])
    return divided(b, centred, mean(b, squared(b, centred), 3))


def _of_two_axes(b: GraphBuilder, x: str) -> str:
    average = b.node(Op.MEAN, [x], MeanAttrs((2, 3), keep_dims=True))
    centred = b.node(Op.SUB, [x, average])
    variance = b.node(Op.MEAN, [squared(b, centred)], MeanAttrs((2, 3), keep_dims=True))
    return divided(b, centred, b.node(Op.ADD, [variance, number(b, EPSILON)]))


def _of_another_tensor(b: GraphBuilder, x: str) -> str:
    centred = b.node(Op.SUB, [x, mean(b, b.input("other", LAST), 3)])
    variance = b.node(Op.ADD, [mean(b, squared(b, centred), 3), number(b, EPSILON)])
    return divided(b, centred, variance)


def _along_other_axes(b: GraphBuilder, x: str) -> str:
    centred = b.node(Op.SUB, [x, mean(b, x, 3)])
    variance = b.node(Op.ADD, [mean(b, squared(b, centred), 2), number(b, EPSILON)])
    return divided(b, centred, variance)


def _of_cubes(b: GraphBuilder, x: str) -> str:
    return in_steps(b, x, 3, lambda b, y: b.node(Op.POWER, [y], PowerAttrs(3.0)))


def _multiplied(b: GraphBuilder, x: str) -> str:
    return in_steps(
        b, x, 3, divide=lambda b, y, v: b.node(Op.MUL, [y, b.node(Op.POWER, [v], PowerAttrs(0.5))])
    )


@pytest.mark.parametrize(
    "write",
    [
        _without_epsilon,
        _of_two_axes,
        _of_another_tensor,
        _along_other_axes,
        _of_cubes,
        _multiplied,
    ],
)
def test_what_is_no_layer_norm(write: Step) -> None:
    b = GraphBuilder()
    graph = b.build(write(b, b.input("x", LAST)))
    assert fuse_layer_norm(graph) == (graph, False)


def normed(b: GraphBuilder, affine: int = 2) -> str:
    constants = [b.random(name, (6,)) for name in ("gamma", "beta")[:affine]]
    return b.node(Op.LAYER_NORM, [b.input("x", LAST), *constants], LayerNormAttrs(1e-6), "norm")


def convolved(b: GraphBuilder, x: str, pad: int = 0) -> str:
    attrs = Conv2DAttrs(strides=(2, 2), padding=((pad, pad), (pad, pad)))
    return b.node(Op.CONV_2D, [x, b.random("w", (5, 2, 2, 6))], attrs)


def linear(b: GraphBuilder, x: str) -> str:
    return b.node(Op.FULLY_CONNECTED, [x, b.random("w", (5, 6)), b.random("b", (5,))])


@pytest.mark.parametrize("affine", [1, 2])
def test_into_the_layers_behind_it(affine: int) -> None:
    b = GraphBuilder()
    y = normed(b, affine)
    graph = in_double(b.build(linear(b, y), linear(b, y), convolved(b, y)))
    after, changed = fold_layer_norm(graph)
    assert changed
    assert [len(n.inputs) for n in after.nodes] == [1, 3, 3, 3 if affine == 2 else 2]
    assert_exact(after, graph)
    assert fold_layer_norm(after) == (after, False)


def _padded(b: GraphBuilder) -> Graph:
    y = normed(b)
    return b.build(linear(b, y), convolved(b, y, pad=1))


def _residual(b: GraphBuilder) -> Graph:
    y = normed(b)
    weight = b.random("w", (6, 1, 1, 6))
    return b.build(b.node(Op.ADD, [y, b.node(Op.CONV_2D, [y, weight])]))


def _output(b: GraphBuilder) -> Graph:
    y = normed(b)
    return b.build(y, linear(b, y))


@pytest.mark.parametrize("write", [_padded, _residual, _output])
def test_the_affine_part_stays(write: Callable[[GraphBuilder], Graph]) -> None:
    graph = write(GraphBuilder())
    assert fold_layer_norm(graph) == (graph, False)
    settled = run_passes(graph)
    (node,) = [n for n in settled.nodes if n.op is Op.LAYER_NORM]
    assert len(node.inputs) == 3
