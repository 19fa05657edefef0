"""Layers that change nothing go away."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.support.graphs import GraphBuilder, assert_same_structure, assert_same_values
from tinyflow.ir import RELU, RELU6, Clamp, DType, Op, QuantParams
from tinyflow.ir.ops.broadcast import BinaryAttrs
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.concat import ConcatAttrs
from tinyflow.ir.ops.fake_quant import FakeQuantAttrs
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.pad import PadAttrs
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.resize import ResizeAttrs
from tinyflow.ir.ops.slice import SliceAttrs
from tinyflow.ir.ops.transpose import TransposeAttrs
from tinyflow.passes import run_passes
from tinyflow.passes.remove_identity import remove_identity

SHAPE = (1, 4, 5, 3)
Q = QuantParams.per_tensor(0.5, 3)

IDENTITIES: dict[str, Callable[[GraphBuilder, str], str]] = {
    "reshape": lambda b, x: b.node(Op.RESHAPE, [x], ReshapeAttrs(SHAPE)),
    "transpose": lambda b, x: b.node(Op.TRANSPOSE, [x], TransposeAttrs((0, 1, 2, 3))),
    "slice": lambda b, x: b.node(Op.SLICE, [x], SliceAttrs((0,) * 4, SHAPE, (1,) * 4)),
    "concat": lambda b, x: b.node(Op.CONCAT, [x], ConcatAttrs(3)),
    "clamp": lambda b, x: b.node(Op.CLAMP, [x]),
    "pad": lambda b, x: b.node(Op.PAD, [x], PadAttrs(((0, 0),) * 4)),
    "quantize": lambda b, x: b.node(Op.QUANTIZE, [x]),
    "pool": lambda b, x: b.node(Op.MAX_POOL, [x], PoolAttrs()),
    "resize": lambda b, x: b.node(Op.RESIZE_BILINEAR, [x], ResizeAttrs((4, 5))),
    "times one": lambda b, x: b.node(Op.MUL, [x, b.constant("one", np.ones(3, np.float32))]),
    "plus zero": lambda b, x: b.node(Op.ADD, [b.constant("zero", np.zeros((), np.float32)), x]),
}

OTHERS: dict[str, Callable[[GraphBuilder, str], str]] = {
    "transpose": lambda b, x: b.node(Op.TRANSPOSE, [x], TransposeAttrs((0, 2, 1, 3))),
    "clamp": lambda b, x: b.node(Op.CLAMP, [x], ClampAttrs(RELU)),
    "strided pool": lambda b, x: b.node(Op.MAX_POOL, [x], PoolAttrs((1, 1), (2, 2))),
    "clamped pool": lambda b, x: b.node(Op.MAX_POOL, [x], PoolAttrs(clamp=RELU)),
    "pool": lambda b, x: b.node(Op.MAX_POOL, [x], PoolAttrs((3, 3), (1, 1), ((1, 1), (1, 1)))),
    "one minus": lambda b, x: b.node(Op.SUB, [b.constant("zero", np.zeros(3, np.float32)), x]),
    "relu": lambda b, x: b.node(
        Op.MUL, [x, b.constant("one", np.ones(3, np.float32))], BinaryAttrs(RELU)
    ),
}


def _start(b: GraphBuilder) -> str:
    return b.node(Op.TANH, [b.input("x", SHAPE)], name="start")


@pytest.mark.parametrize("what", IDENTITIES)
@pytest.mark.parametrize("output", [True, False])
def test_removed(what: str, output: bool) -> None:
    b, e = GraphBuilder(), GraphBuilder()
    y = IDENTITIES[what](b, _start(b))
    source = b.nodes[-1].name
    expected = e.node(Op.TANH, [e.input("x", SHAPE)], name="start", sources=("start", source))
    if not output:
        y = b.node(Op.SIGMOID, [y], name="end")
        expected = e.node(Op.SIGMOID, [expected], name="end")
    before = b.build(y)
    after, changed = remove_identity(before)
    assert changed
    assert after.outputs == before.outputs
    assert_same_structure(after, e.build(expected))


@pytest.mark.parametrize("what", OTHERS)
def test_kept(what: str) -> None:
    b = GraphBuilder()
    assert remove_identity(b.build(OTHERS[what](b, _start(b))))[1] is False


def test_an_input_handed_on_as_an_output_stays_a_layer() -> None:
    b = GraphBuilder()
    y = b.node(Op.RESHAPE, [b.input("x", SHAPE)], ReshapeAttrs(SHAPE))
    assert remove_identity(b.build(y))[1] is False


def test_two_outputs_of_one_value_stay_two() -> None:
    b = GraphBuilder()
    y = _start(b)
    graph = b.build(y, b.node(Op.RESHAPE, [y], ReshapeAttrs(SHAPE)))
    assert remove_identity(graph)[1] is False


def test_passes_rest_on_two_outputs_of_one_shape() -> None:
    b = GraphBuilder()
    x = b.input("x", SHAPE)
    outputs = [b.node(Op.RESHAPE, [x], ReshapeAttrs((1, 60))) for _ in range(2)]
    graph = b.build(*outputs)
    assert run_passes(graph).outputs == graph.outputs


def test_a_reshape_of_a_reshape_is_one() -> None:
    b, e = GraphBuilder(), GraphBuilder()
    y = b.node(Op.RESHAPE, [_start(b)], ReshapeAttrs((1, 20, 3)), name="one")
    y = b.node(Op.RESHAPE, [y], ReshapeAttrs((1, 60)), name="two")
    expected = e.node(
        Op.RESHAPE, [_start(e)], ReshapeAttrs((1, 60)), name="two", sources=("one", "two")
    )
    assert_same_structure(remove_identity(b.build(y))[0], e.build(expected))


@pytest.mark.parametrize(
    ("before", "clamp", "implied"),
    [
        (Op.SIGMOID, RELU6, True),
        (Op.SOFTMAX, Clamp(0.0, 1.0), True),
        (Op.TANH, Clamp(-1.0, 1.0), True),
        (Op.TANH, RELU, False),
        (Op.SIGMOID, Clamp(0.0, 0.5), False),
        (Op.LEAKY_RELU, RELU, False),
    ],
)
def test_a_clamp_that_the_layer_before_implies(before: Op, clamp: Clamp, implied: bool) -> None:
    b = GraphBuilder()
    y = b.node(before, [b.input("x", SHAPE)])
    y = b.node(Op.AVERAGE_POOL, [y], PoolAttrs((2, 2), (1, 1)))
    y = b.node(Op.PAD, [y], PadAttrs(((0, 0), (1, 1), (0, 0), (0, 0))))
    y = b.node(
        Op.CONCAT, [y, b.constant("k", np.full((1, 5, 4, 1), 0.5, np.float32))], ConcatAttrs(3)
    )
    graph = b.build(b.node(Op.CLAMP, [y], ClampAttrs(clamp)))
    after, changed = remove_identity(graph)
    assert changed is implied
    assert_same_values(after, graph)


def test_a_mean_over_single_pixels() -> None:
    b = GraphBuilder()
    y = b.node(Op.MEAN, [_start(b)], MeanAttrs((1, 2), keep_dims=True))
    graph = b.build(b.node(Op.MEAN, [y], MeanAttrs((1, 2), keep_dims=True)))
    assert len(remove_identity(graph)[0].nodes) == 2


@pytest.mark.parametrize("op", [Op.QUANTIZE, Op.CLAMP])
@pytest.mark.parametrize("same", [True, False])
def test_in_a_quantized_graph_only_at_one_scale(op: Op, same: bool) -> None:
    b = GraphBuilder()
    x = b.input("x", SHAPE, DType.INT8, Q)
    y = b.node(Op.MAX_POOL, [x], PoolAttrs((2, 2)), quant=Q)
    other = Q if same else QuantParams.per_tensor(0.25, 3)
    assert remove_identity(b.build(b.node(op, [y], quant=other)))[1] is same


def test_codes_that_cannot_be_negative_need_no_relu() -> None:
    for zero, implied in ((-128, True), (-127, False)):
        b = GraphBuilder()
        q = QuantParams.per_tensor(0.02, zero)
        x = b.input("x", SHAPE, DType.INT8, q)
        y = b.node(Op.MAX_POOL, [x], PoolAttrs((2, 2)), quant=q)
        graph = b.build(b.node(Op.CLAMP, [y], ClampAttrs(RELU6), quant=q))
        after, _ = remove_identity(graph)
        assert (Op.CLAMP not in [n.op for n in after.nodes]) is implied


ROUNDED = FakeQuantAttrs(0.25, -128)


@pytest.mark.parametrize(
    ("attrs", "border", "gone"),
    [
        (ROUNDED, 0.0, True),
        (ROUNDED, 1.0, False),
        (FakeQuantAttrs(0.25, -127), 0.0, False),
        (FakeQuantAttrs(0.25, -128, -128, 0), 0.0, False),
    ],
)
def test_what_is_rounded_already_is_not_rounded_again(
    attrs: FakeQuantAttrs, border: float, gone: bool
) -> None:
    b = GraphBuilder()
    y = b.node(Op.FAKE_QUANT, [_start(b)], ROUNDED)
    y = b.node(Op.PAD, [y], PadAttrs(((0, 0), (1, 1), (1, 1), (0, 0)), border))
    y = b.node(Op.MAX_POOL, [y], PoolAttrs((2, 2)))
    graph = b.build(b.node(Op.SIGMOID, [b.node(Op.FAKE_QUANT, [y], attrs)]))
    after, changed = remove_identity(graph)
    assert changed is gone
    assert [n.op for n in after.nodes].count(Op.FAKE_QUANT) == 2 - gone


@pytest.mark.parametrize(("zero", "gone"), [(-128, True), (-120, False)])
def test_rounding_that_cuts_negative_values_off_needs_no_relu(zero: int, gone: bool) -> None:
    b = GraphBuilder()
    y = b.node(Op.FAKE_QUANT, [_start(b)], FakeQuantAttrs(0.25, zero))
    after, _ = remove_identity(b.build(b.node(Op.CLAMP, [y], ClampAttrs(RELU))))
    assert (Op.CLAMP not in [n.op for n in after.nodes]) is gone
