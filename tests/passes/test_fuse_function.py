"""Functions of one element that exporters wrote in smaller steps."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from tests.support.double import assert_exact, in_double
from tests.support.graphs import GraphBuilder, assert_same_values
from tinyflow.ir import RELU, RELU6, Attrs, Clamp, Graph, Op
from tinyflow.ir.ops.broadcast import BinaryAttrs
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.function import FunctionAttrs
from tinyflow.ir.ops.gelu import GeluAttrs
from tinyflow.ir.ops.hard_sigmoid import HardSigmoidAttrs
from tinyflow.ir.ops.leaky_relu import LeakyReluAttrs
from tinyflow.ir.ops.power import PowerAttrs
from tinyflow.passes import run_passes
from tinyflow.passes.div_to_mul import div_to_mul
from tinyflow.passes.fuse_function import fuse_function, fuse_function_ends

SHAPE = (1, 4, 4, 3)


def clipped(b: GraphBuilder, x: str, shift: float = 3.0, fused: bool = False) -> str:
    """clip(x + 3, 0, 6)."""
    amount = b.constant("three", np.full((), shift, np.float32))
    if fused:
        return b.node(Op.ADD, [x, amount], BinaryAttrs(RELU6), name="add")
    y = b.node(Op.ADD, [x, amount], name="add")
    return b.node(Op.CLAMP, [y], ClampAttrs(RELU6), name="clip")


def sixth(b: GraphBuilder) -> str:
    return b.constant("sixth", np.full((), 1 / 6, np.float32))


def gate_of_steps(b: GraphBuilder, x: str) -> str:
    y = b.node(Op.MUL, [clipped(b, x), sixth(b)], name="div")
    return b.node(Op.MUL, [x, y], name="mul")


def division_last(b: GraphBuilder, x: str) -> str:
    y = b.node(Op.MUL, [clipped(b, x), x], name="mul")
    return b.node(Op.MUL, [y, sixth(b)], name="div")


def fused_clamp(b: GraphBuilder, x: str) -> str:
    y = b.node(Op.MUL, [x, clipped(b, x, fused=True)], name="mul")
    return b.node(Op.MUL, [y, sixth(b)], name="div")


def hard_sigmoid_node(b: GraphBuilder, x: str) -> str:
    y = b.node(Op.HARD_SIGMOID, [x], HardSigmoidAttrs(), name="gate")
    return b.node(Op.MUL, [y, x], name="mul")


HARD_SWISHES = {
    "gate of steps": gate_of_steps,
    "division last": division_last,
    "fused clamp": fused_clamp,
    "hard sigmoid node": hard_sigmoid_node,
}


def built(write: Callable[[GraphBuilder, str], str]) -> Graph:
    b = GraphBuilder()
    return b.build(write(b, b.input("x", SHAPE)))


@pytest.mark.parametrize("form", HARD_SWISHES)
def test_hard_swish(form: str) -> None:
    graph = built(HARD_SWISHES[form])
    after, changed = fuse_function(graph)
    assert changed
    (node,) = after.nodes
    assert (node.op, node.inputs, node.attrs) == (Op.HARD_SWISH, ("x",), Attrs())
    assert node.name == graph.nodes[-1].name
    assert node.sources == tuple(n.name for n in graph.nodes)
    assert after.outputs == graph.outputs
    assert_same_values(after, graph)


def test_hard_sigmoid() -> None:
    graph = built(lambda b, x: b.node(Op.MUL, [clipped(b, x), sixth(b)], name="div"))
    after, _ = fuse_function(graph)
    (node,) = after.nodes
    assert node.attrs == HardSigmoidAttrs(1 / 6, 0.5)
    assert node.sources == ("add", "clip", "div")
    assert_same_values(after, graph)


def test_a_gate_over_another_tensor_becomes_a_hard_sigmoid() -> None:
    b = GraphBuilder()
    x, other = b.input("x", SHAPE), b.input("other", SHAPE)
    y = b.node(Op.MUL, [clipped(b, x), sixth(b)], name="div")
    after, _ = fuse_function(b.build(b.node(Op.MUL, [other, y], name="mul")))
    assert [n.op for n in after.nodes] == [Op.HARD_SIGMOID, Op.MUL]


UNLIKE: dict[str, Callable[[GraphBuilder, str], str]] = {
    "another shift": lambda b, x: b.node(Op.MUL, [clipped(b, x, 2.0), sixth(b)]),
    "another factor": lambda b, x: b.node(Op.MUL, [clipped(b, x), number(b, 0.25)]),
    "another clamp": lambda b, x: b.node(
        Op.MUL, [b.node(Op.CLAMP, [x], ClampAttrs(Clamp(0, 6))), sixth(b)]
    ),
    "a single step": lambda b, x: b.node(Op.EXP, [x]),
    "a square": lambda b, x: b.node(Op.MUL, [x, x]),
    "a scale in front": lambda b, x: b.node(Op.GELU, [b.node(Op.MUL, [x, number(b, 2.0)])]),
    "a ReLU behind": lambda b, x: b.node(Op.CLAMP, [b.node(Op.GELU, [x])], ClampAttrs(RELU)),
    "another factor in each channel": lambda b, x: b.node(
        Op.TANH, [b.node(Op.MUL, [x, b.random("k", (3,))])]
    ),
}


@pytest.mark.parametrize("form", UNLIKE)
def test_left_alone(form: str) -> None:
    graph = built(UNLIKE[form])
    assert fuse_function(graph) == (graph, False)


def test_not_where_the_gate_is_an_output() -> None:
    b = GraphBuilder()
    x = b.input("x", SHAPE)
    gate = b.node(Op.HARD_SIGMOID, [x], HardSigmoidAttrs())
    graph = b.build(b.node(Op.MUL, [x, gate]), gate)
    assert fuse_function(graph)[1] is False


def number(b: GraphBuilder, value: float) -> str:
    return b.constant("number", np.full((), value, np.float32))


def with_number(b: GraphBuilder, op: Op, x: str, value: float, first: bool = True) -> str:
    operands = [x, number(b, value)]
    return b.node(op, operands if first else operands[::-1])


def erf_of(b: GraphBuilder, x: str, divide: bool = True) -> str:
    """1 + erf(x / sqrt(2))."""
    root = math.sqrt(2.0)
    scaled = (
        with_number(b, Op.DIV, x, root) if divide else with_number(b, Op.MUL, x, 1 / root, False)
    )
    return with_number(b, Op.ADD, b.node(Op.ERF, [scaled]), 1.0, first=divide)


def tanh_of(b: GraphBuilder, x: str, cube: str, outer: bool = True) -> str:
    """1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x ** 3))."""
    inner = b.node(Op.ADD, [x, with_number(b, Op.MUL, cube, 0.044715)])
    scaled = with_number(b, Op.MUL, inner, math.sqrt(2 / math.pi), first=outer)
    return with_number(b, Op.ADD, b.node(Op.TANH, [scaled]), 1.0)


def half_first(b: GraphBuilder, x: str, gate: str) -> str:
    return b.node(Op.MUL, [with_number(b, Op.MUL, x, 0.5), gate])


def half_last(b: GraphBuilder, x: str, gate: str) -> str:
    return with_number(b, Op.MUL, b.node(Op.MUL, [gate, x]), 0.5)


def half_of_gate(b: GraphBuilder, x: str, gate: str) -> str:
    return b.node(Op.MUL, [x, with_number(b, Op.MUL, gate, 0.5, first=False)])


def halved(b: GraphBuilder, x: str, gate: str) -> str:
    return with_number(b, Op.DIV, b.node(Op.MUL, [x, gate]), 2.0)


GELUS = [half_first, half_last, half_of_gate, halved]
Write = Callable[[GraphBuilder, str], str]


@pytest.mark.parametrize("divide", [True, False])
@pytest.mark.parametrize("join", GELUS)
def test_gelu_in_all_spellings(join: Callable[..., str], divide: bool) -> None:
    graph = built(lambda b, x: join(b, x, erf_of(b, x, divide)))
    (node,) = fused(graph).nodes
    assert (node.op, node.attrs) == (Op.GELU, GeluAttrs())
    assert node.sources == tuple(n.name for n in graph.nodes)


CUBES: dict[str, Write] = {
    "power": lambda b, x: b.node(Op.POWER, [x], PowerAttrs(3.0)),
    "products": lambda b, x: b.node(Op.MUL, [b.node(Op.MUL, [x, x]), x]),
    "a square": lambda b, x: b.node(Op.MUL, [x, b.node(Op.POWER, [x], PowerAttrs(2.0))]),
}


@pytest.mark.parametrize("join", GELUS)
@pytest.mark.parametrize("cube", CUBES)
def test_gelu_by_tanh(cube: str, join: Callable[..., str]) -> None:
    graph = built(lambda b, x: join(b, x, tanh_of(b, x, CUBES[cube](b, x))))
    (node,) = fused(graph).nodes
    assert (node.op, node.attrs) == (Op.GELU, GeluAttrs(tanh=True))


def fused(graph: Graph) -> Graph:
    after, changed = fuse_function(graph)
    assert changed
    assert fuse_function(after)[1] is False
    assert_same_values(after, graph)
    return after


def inverse(b: GraphBuilder, x: str) -> str:
    """1 / (1 + exp(-x))."""
    power = b.node(Op.EXP, [with_number(b, Op.MUL, x, -1.0)])
    return with_number(b, Op.DIV, with_number(b, Op.ADD, power, 1.0), 1.0, first=False)


def test_sigmoid_and_tanh() -> None:
    assert [n.op for n in fused(built(inverse)).nodes] == [Op.SIGMOID]

    def doubled(b: GraphBuilder, x: str) -> str:
        y = b.node(Op.SIGMOID, [with_number(b, Op.MUL, x, 2.0)])
        return with_number(b, Op.SUB, with_number(b, Op.MUL, y, 2.0), 1.0)

    assert [n.op for n in fused(built(doubled)).nodes] == [Op.TANH]


def mish(b: GraphBuilder, x: str) -> str:
    softplus = b.node(Op.LOG, [with_number(b, Op.ADD, b.node(Op.EXP, [x]), 1.0)])
    return b.node(Op.MUL, [x, b.node(Op.TANH, [softplus])])


OTHERS: dict[str, tuple[Write, str]] = {
    "quick gelu": (
        lambda b, x: b.node(Op.MUL, [x, b.node(Op.SIGMOID, [with_number(b, Op.MUL, x, 1.702)])]),
        "(x * ((tanh(((x * 1.702) * 0.5)) + 1) * 0.5))",
    ),
    "mish": (mish, "(x * tanh(log((exp(x) + 1))))"),
    "another slope": (
        lambda b, x: b.node(Op.MUL, [x, b.node(Op.HARD_SIGMOID, [x], HardSigmoidAttrs(0.25, 0.5))]),
        "(x * min(max(((x * 0.25) + 0.5), 0), 1))",
    ),
    "clamped": (
        lambda b, x: b.node(
            Op.ABS, [b.node(Op.ADD, [b.node(Op.TANH, [x]), number(b, 0.5)], BinaryAttrs(RELU))]
        ),
        "abs(max((tanh(x) + 0.5), 0))",
    ),
    "a quotient": (lambda b, x: with_number(b, Op.DIV, x, 3.0, first=False), "(3 / x)"),
    "hard-swish inside": (
        lambda b, x: b.node(Op.TANH, [b.node(Op.HARD_SWISH, [x])]),
        "tanh(((x * min(max((x + 3), 0), 6)) / 6))",
    ),
    "gelu inside": (
        lambda b, x: b.node(Op.ABS, [b.node(Op.GELU, [x])]),
        "abs(((x * (erf((x * 0.707107)) + 1)) * 0.5))",
    ),
    "gelu by tanh inside": (
        lambda b, x: b.node(Op.ABS, [b.node(Op.GELU, [x], GeluAttrs(True))]),
        "abs(((x * (tanh(((x + (pow(x, 3) * 0.044715)) * 0.797885)) + 1)) * 0.5))",
    ),
    "leaky inside": (
        lambda b, x: b.node(Op.ABS, [b.node(Op.LEAKY_RELU, [x], LeakyReluAttrs(0.125))]),
        "abs((max(x, 0) + (min(x, 0) * 0.125)))",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_functions_become_a_formula(name: str) -> None:
    write, formula = OTHERS[name]
    graph = built(write)
    (node,) = fused(graph).nodes
    assert isinstance(node.attrs, FunctionAttrs)
    assert str(node.attrs) == formula
    double = in_double(graph)
    assert_exact(fuse_function(double)[0], double)


def test_a_function_joins_another() -> None:
    graph = built(lambda b, x: b.node(Op.ABS, [mish(b, x)]))
    once = fuse_function(built(mish))[0]
    again = GraphBuilder()
    x = again.input("x", SHAPE)
    y = again.node(Op.FUNCTION, [x], once.nodes[0].attrs)
    joined = fused(again.build(again.node(Op.ABS, [y])))
    assert joined.nodes[0].attrs == fused(graph).nodes[0].attrs


def test_two_tensors_are_no_function() -> None:
    b = GraphBuilder()
    x, other = b.input("x", SHAPE), b.input("other", SHAPE)
    y = b.node(Op.MUL, [b.node(Op.EXP, [x]), b.node(Op.TANH, [other])])
    graph = b.build(y)
    assert fuse_function(graph) == (graph, False)


def test_a_gate_of_one_pixel_is_no_function_of_the_map() -> None:
    b = GraphBuilder()
    x, gate = b.input("x", SHAPE), b.input("gate", (1, 1, 1, 3))
    graph = b.build(b.node(Op.TANH, [b.node(Op.MUL, [x, gate])]))
    assert fuse_function(graph) == (graph, False)


def test_a_step_that_something_else_reads_stays() -> None:
    b = GraphBuilder()
    x = b.input("x", SHAPE)
    inner = b.node(Op.EXP, [x], name="exp")
    outer = b.node(Op.LOG, [b.node(Op.ABS, [inner])], name="log")
    after = fused(b.build(b.node(Op.MUL, [b.node(Op.TANH, [outer]), inner], name="mul"), outer))
    assert [n.op for n in after.nodes] == [Op.EXP, Op.FUNCTION, Op.TANH, Op.MUL]


def test_the_operand_may_have_other_readers() -> None:
    b = GraphBuilder()
    x = b.input("x", SHAPE)
    y = b.node(Op.CONV_2D, [x, b.random("w", (3, 1, 1, 3))])
    after = fused(b.build(half_first(b, y, erf_of(b, y)), y))
    assert [n.op for n in after.nodes] == [Op.CONV_2D, Op.GELU]


def test_layers_take_up_scales_around_a_function() -> None:
    b = GraphBuilder()
    y = b.node(Op.CONV_2D, [b.input("x", SHAPE), b.random("w", (3, 1, 1, 3))])
    y = with_number(b, Op.MUL, y, 0.5)
    y = with_number(b, Op.MUL, half_first(b, y, erf_of(b, y)), 3.0)
    graph = b.build(b.node(Op.CONV_2D, [y, b.random("w", (3, 1, 1, 3))]))
    after = run_passes(graph)
    assert [n.op for n in after.nodes] == [Op.CONV_2D, Op.GELU, Op.CONV_2D]
    assert_same_values(after, graph)


def test_what_no_layer_takes_up_joins_the_function() -> None:
    graph = built(lambda b, x: with_number(b, Op.MUL, b.node(Op.SIGMOID, [x]), 255.0))
    assert fuse_function(graph) == (graph, False)
    assert [n.op for n in fuse_function_ends(graph)[0].nodes] == [Op.FUNCTION]
    after = run_passes(graph)
    assert [n.op for n in after.nodes] == [Op.FUNCTION]
    assert_same_values(after, graph)


def test_division_by_a_constant_is_a_product() -> None:
    b = GraphBuilder()
    x, k = b.input("x", SHAPE), b.random("k", (3,), positive=True)
    graph = b.build(b.node(Op.DIV, [x, k], BinaryAttrs(RELU), name="div"))
    after, changed = div_to_mul(graph)
    assert changed
    assert [(n.op, n.name, n.attrs) for n in after.nodes] == [(Op.MUL, "div", BinaryAttrs(RELU))]
    double = in_double(graph)
    assert_exact(div_to_mul(double)[0], double)


@pytest.mark.parametrize("divisor", [[1.0, 0.0, 2.0], [1.0, 1e-45, 2.0]])
def test_a_divisor_without_an_inverse_stays(divisor: list[float]) -> None:
    b = GraphBuilder()
    k = b.constant("k", np.array(divisor, np.float32))
    graph = b.build(b.node(Op.DIV, [b.input("x", SHAPE), k]))
    assert div_to_mul(graph) == (graph, False)
    b = GraphBuilder()
    graph = b.build(b.node(Op.DIV, [b.input("x", SHAPE), b.input("y", SHAPE)]))
    assert div_to_mul(graph) == (graph, False)
