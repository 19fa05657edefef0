"""BatchNorm and other maps per channel go into weights before or behind them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.graphs import GraphBuilder, assert_same_structure, assert_same_values
from tinyflow.ir import NO_CLAMP, RELU, RELU6, Clamp, Graph, Op
from tinyflow.ir.ops.broadcast import BinaryAttrs
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.ir.ops.depthwise_conv2d import DepthwiseConv2DAttrs
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.pad import PadAttrs
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.resize import ResizeAttrs
from tinyflow.ir.ops.transpose_conv2d import TransposeConv2DAttrs
from tinyflow.passes import run_passes
from tinyflow.passes.fold_batchnorm import fold_batchnorm
from tinyflow.passes.lower_batchnorm import lower_batchnorm

SAME = ((1, 1), (1, 1))


def _ops(graph: Graph) -> list[Op]:
    return [node.op for node in graph.nodes]


def _folded(graph: Graph) -> Graph:
    after, changed = fold_batchnorm(graph)
    assert changed
    assert_same_values(after, graph)
    assert fold_batchnorm(after)[1] is False
    return after


def _image(b: GraphBuilder, channels: int = 4) -> str:
    return b.input("x", (1, 6, 5, channels))


def _conv(b: GraphBuilder, x: str, out: int = 3, **attrs: object) -> str:
    c = b.tensors[x].shape[3] // int(attrs.get("groups", 1))  # type: ignore[call-overload]
    weight = b.random("w", (out, 3, 3, c))
    bias = b.random("b", (out,))
    return b.node(Op.CONV_2D, [x, weight, bias], Conv2DAttrs(**attrs))  # type: ignore[arg-type]


def test_batchnorm_behind_a_convolution() -> None:
    b = GraphBuilder()
    x = _image(b)
    w, bias = b.random("w", (3, 3, 3, 4)), b.random("b", (3,))
    y = b.node(Op.CONV_2D, [x, w, bias], Conv2DAttrs(padding=SAME), name="conv")
    before = b.build(b.batch_norm(y, "bn"))

    e = GraphBuilder()
    constants = {name: t.value.astype(np.float64) for name, t in before.constants.items()}
    scale = constants["bn/gamma"] / np.sqrt(constants["bn/variance"] + 1e-5)
    offset = constants["bn/beta"] - scale * constants["bn/mean"]
    weight = constants["w"] * scale[:, None, None, None]
    expected = e.node(
        Op.CONV_2D,
        [
            _image(e),
            e.constant("w", weight.astype(np.float32)),
            e.constant("b", (constants["b"] * scale + offset).astype(np.float32)),
        ],
        Conv2DAttrs(padding=SAME),
        name="conv",
        sources=("conv", "bn"),
    )
    after = _folded(before)
    assert_same_structure(after, e.build(expected))
    assert after.outputs == before.outputs


def _depthwise(b: GraphBuilder, x: str) -> str:
    weight = b.random("w", (1, 3, 3, 2 * b.tensors[x].shape[3]))
    return b.node(Op.DEPTHWISE_CONV_2D, [x, weight], DepthwiseConv2DAttrs())


def _transpose_conv(b: GraphBuilder, x: str) -> str:
    weight = b.random("w", (5, 3, 2, b.tensors[x].shape[3]))
    attrs = TransposeConv2DAttrs((2, 2), ((1, 0), (0, 0)), (0, 1))
    return b.node(Op.TRANSPOSE_CONV_2D, [x, weight], attrs)


def _fully_connected(b: GraphBuilder, x: str) -> str:
    return b.node(Op.FULLY_CONNECTED, [x, b.random("w", (7, b.tensors[x].shape[-1]))])


def _grouped(b: GraphBuilder, x: str) -> str:
    return _conv(b, x, out=6, groups=2, dilations=(1, 2))


LAYERS = [_conv, _grouped, _depthwise, _transpose_conv, _fully_connected]


@pytest.mark.parametrize("layer", LAYERS)
def test_behind_each_layer_with_weights(layer: Callable[[GraphBuilder, str], str]) -> None:
    b = GraphBuilder()
    after = _folded(b.build(b.batch_norm(layer(b, _image(b)))))
    assert len(after.nodes) == 1


@pytest.mark.parametrize("layer", [_conv, _grouped, _depthwise, _fully_connected])
def test_in_front_of_each_layer_with_weights(layer: Callable[[GraphBuilder, str], str]) -> None:
    b = GraphBuilder()
    after = _folded(b.build(layer(b, b.batch_norm(_image(b)))))
    assert len(after.nodes) == 1
    assert after.nodes[0].sources[0] == "bn_0"


def test_a_convolution_between_two_takes_both() -> None:
    b = GraphBuilder()
    graph = b.build(b.batch_norm(_conv(b, b.batch_norm(_image(b)))))
    assert _ops(_folded(graph)) == [Op.CONV_2D]


def test_an_offset_does_not_fold_through_zero_padding() -> None:
    b = GraphBuilder()
    graph = b.build(_conv(b, b.batch_norm(_image(b)), padding=SAME))
    assert fold_batchnorm(graph) == (graph, False)


def test_a_scale_folds_through_zero_padding() -> None:
    b = GraphBuilder()
    scaled = b.node(Op.MUL, [_image(b), b.random("s", (4,))])
    assert _ops(_folded(b.build(_conv(b, scaled, padding=SAME)))) == [Op.CONV_2D]


def test_an_offset_does_not_fold_into_a_transposed_convolution() -> None:
    b = GraphBuilder()
    graph = b.build(_transpose_conv(b, b.batch_norm(_image(b))))
    assert fold_batchnorm(graph) == (graph, False)


def test_an_explicit_border_takes_up_the_offset() -> None:
    b = GraphBuilder()
    x = b.input("x", (1, 6, 5, 1))
    pads = ((0, 0), (1, 1), (1, 1), (0, 0))
    padded = b.node(Op.PAD, [b.batch_norm(x)], PadAttrs(pads))
    after = _folded(b.build(_conv(b, padded)))
    assert _ops(after) == [Op.PAD, Op.CONV_2D]
    pad = after.nodes[0].attrs
    assert isinstance(pad, PadAttrs)
    assert pad.value != 0


def test_a_border_cannot_be_a_different_number_in_each_channel() -> None:
    b = GraphBuilder()
    pads = ((0, 0), (1, 1), (1, 1), (0, 0))
    padded = b.node(Op.PAD, [b.batch_norm(_image(b))], PadAttrs(pads))
    graph = b.build(_conv(b, padded))
    assert fold_batchnorm(graph) == (graph, False)


POOL = PoolAttrs((2, 2), (2, 2), ((0, 1), (1, 0)))
BETWEEN = {
    "average": lambda b, x: b.node(Op.AVERAGE_POOL, [x], POOL),
    "max": lambda b, x: b.node(Op.MAX_POOL, [x], POOL),
    "nearest": lambda b, x: b.node(Op.RESIZE_NEAREST, [x], ResizeAttrs((9, 7))),
    "bilinear": lambda b, x: b.node(
        Op.RESIZE_BILINEAR, [x], ResizeAttrs((9, 8), half_pixel_centers=True)
    ),
}


@pytest.mark.parametrize("between", BETWEEN)
def test_through_layers_that_commute(between: str) -> None:
    for behind in (True, False):
        b = GraphBuilder()
        x = _image(b)
        if behind:
            y = b.batch_norm(BETWEEN[between](b, _conv(b, x)))
        else:
            y = _conv(b, BETWEEN[between](b, b.batch_norm(x)))
        assert len(_folded(b.build(y)).nodes) == 2


def test_through_mean_and_flatten_into_fully_connected() -> None:
    b = GraphBuilder()
    y = b.node(Op.MEAN, [b.batch_norm(_image(b))], MeanAttrs((1,)))
    y = b.node(Op.RESHAPE, [y], ReshapeAttrs((1, 20)))
    after = _folded(b.build(_fully_connected(b, y)))
    assert _ops(after) == [Op.MEAN, Op.RESHAPE, Op.FULLY_CONNECTED]


def test_behind_a_reshape_that_splits_channels() -> None:
    b = GraphBuilder()
    y = b.node(Op.RESHAPE, [_conv(b, _image(b), out=6)], ReshapeAttrs((1, 36, 2)))
    assert _ops(_folded(b.build(b.batch_norm(y)))) == [Op.CONV_2D, Op.RESHAPE]


def test_a_maximum_does_not_let_a_negative_scale_pass() -> None:
    b = GraphBuilder()
    y = b.node(Op.MAX_POOL, [_conv(b, _image(b))], POOL)
    k = b.constant("k", np.array([1, 2, -1], dtype=np.float32))
    graph = b.build(b.node(Op.MUL, [y, k]))
    assert fold_batchnorm(graph) == (graph, False)


@pytest.mark.parametrize("clamp", [RELU, Clamp(-0.5, 0.5)])
def test_an_activation_between_stops_the_fold(clamp: Clamp) -> None:
    b = GraphBuilder()
    graph = b.build(b.batch_norm(_conv(b, _image(b), clamp=clamp)))
    assert fold_batchnorm(graph) == (graph, False)
    b = GraphBuilder()
    scaled = b.node(Op.MUL, [_image(b), b.random("k", (4,))], BinaryAttrs(clamp))
    graph = b.build(_conv(b, scaled))
    assert fold_batchnorm(graph) == (graph, False)


def test_hard_sigmoid_spelt_out_becomes_one_layer() -> None:
    b = GraphBuilder()
    y = b.node(Op.ADD, [_conv(b, _image(b)), b.constant("3", np.float32(3))], BinaryAttrs(RELU6))
    y = b.node(Op.MUL, [y, b.constant("1/6", np.float32(1 / 6))])
    after = _folded(b.build(y))
    assert [node.attrs for node in after.nodes] == [Conv2DAttrs(clamp=Clamp(0.0, 1.0))]


def test_hard_sigmoid_becomes_a_clamp_of_the_layer_before() -> None:
    b = GraphBuilder()
    graph = b.build(b.node(Op.HARD_SIGMOID, [_conv(b, _image(b))]))
    after = _folded(graph)
    assert [node.attrs for node in after.nodes] == [Conv2DAttrs(clamp=Clamp(0.0, 1.0))]


@pytest.mark.parametrize("behind", [True, False])
def test_a_positive_scale_passes_a_relu(behind: bool) -> None:
    b = GraphBuilder()
    k = b.random("k", (3,), positive=True)
    if behind:
        y = b.node(Op.CLAMP, [_conv(b, _image(b))], ClampAttrs(RELU))
        y = b.node(Op.MUL, [y, k])
    else:
        y = b.node(Op.MUL, [_image(b, 3), k])
        y = _conv(b, b.node(Op.CLAMP, [y], ClampAttrs(RELU)))
    assert sorted(n.op.value for n in _folded(b.build(y)).nodes) == ["CLAMP", "CONV_2D"]


def test_a_pool_with_a_clamp_lets_one_scale_for_all_channels_pass() -> None:
    b = GraphBuilder()
    y = b.node(Op.MUL, [_image(b), b.constant("k", np.float32(0.5))])
    y = b.node(Op.SUB, [b.constant("o", np.float32(0.25)), y])
    y = b.node(Op.AVERAGE_POOL, [y], PoolAttrs((2, 2), clamp=Clamp(-0.25, 0.5)))
    graph = b.build(_conv(b, y))
    assert fold_batchnorm(graph) == (graph, False), "a negative scale turns the bounds round"
    b = GraphBuilder()
    y = b.node(Op.MUL, [_image(b), b.constant("k", np.float32(0.5))])
    y = b.node(Op.SUB, [y, b.constant("o", np.float32(0.25))])
    y = b.node(Op.AVERAGE_POOL, [y], PoolAttrs((2, 2), clamp=Clamp(-0.25, 0.5)))
    after = _folded(b.build(_conv(b, y)))
    assert _ops(after) == [Op.AVERAGE_POOL, Op.CONV_2D]
    assert after.nodes[0].attrs == PoolAttrs((2, 2), clamp=Clamp(0.0, 1.5))


def test_another_reader_stops_the_fold() -> None:
    b = GraphBuilder()
    y = _conv(b, _image(b))
    graph = b.build(b.batch_norm(y), y)
    assert fold_batchnorm(graph) == (graph, False)


def test_shared_weights_stay_for_the_other_layer() -> None:
    b = GraphBuilder()
    x, w = _image(b), b.random("w", (3, 1, 1, 4))
    one = b.node(Op.CONV_2D, [x, w])
    other = b.node(Op.CONV_2D, [x, w])
    assert len(_folded(b.build(b.batch_norm(one), other)).nodes) == 2


@pytest.mark.parametrize("op", [Op.ADD, Op.SUB, Op.MUL])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("shape", [(), (3,), (1, 1, 1, 3)])
@pytest.mark.parametrize("clamp", [NO_CLAMP, RELU])
def test_arithmetic_with_a_constant(
    op: Op, first: bool, shape: tuple[int, ...], clamp: Clamp
) -> None:
    b = GraphBuilder()
    operands = [_conv(b, _image(b)), b.random("k", shape)]
    y = b.node(op, operands if first else operands[::-1], BinaryAttrs(clamp))
    after = _folded(b.build(y))
    assert _ops(after) == [Op.CONV_2D]
    assert after.nodes[0].attrs == Conv2DAttrs(clamp=clamp)


def test_a_clamped_constant_behind_a_pool_leaves_the_clamp() -> None:
    b = GraphBuilder()
    y = b.node(Op.AVERAGE_POOL, [_conv(b, _image(b))], POOL)
    y = b.node(Op.ADD, [y, b.random("k", (3,))], BinaryAttrs(RELU))
    assert _ops(_folded(b.build(y))) == [Op.CONV_2D, Op.AVERAGE_POOL, Op.CLAMP]


def test_a_constant_that_varies_over_the_image_stays() -> None:
    b = GraphBuilder()
    y = _conv(b, _image(b))
    graph = b.build(b.node(Op.ADD, [y, b.random("k", b.tensors[y].shape)]))
    assert fold_batchnorm(graph) == (graph, False)


def test_weights_that_float32_cannot_hold_stay_apart() -> None:
    b = GraphBuilder()
    y = _conv(b, _image(b))
    huge = b.constant("k", np.full(3, 3e38, dtype=np.float32))
    graph = b.build(b.node(Op.MUL, [b.node(Op.MUL, [y, huge]), huge]))
    after, _ = fold_batchnorm(graph)
    for tensor in after.constants.values():
        assert np.isfinite(tensor.value).all()


@pytest.mark.parametrize("shape", [(1, 4, 3, 5), (1, 6, 5), (1, 5)])
def test_what_finds_no_neighbour_becomes_depthwise(shape: tuple[int, ...]) -> None:
    b = GraphBuilder()
    total = b.node(Op.ADD, [b.input("x", shape), b.input("z", shape)])
    graph = b.build(b.batch_norm(total, "bn"))
    after, changed = lower_batchnorm(graph)
    assert changed
    assert_same_values(after, graph)
    assert Op.DEPTHWISE_CONV_2D in _ops(after)
    assert all("bn" in node.sources for node in after.nodes[1:])
    settled = run_passes(graph)
    assert_same_values(settled, graph)


def test_a_scale_and_an_offset_apart_become_one_layer() -> None:
    b = GraphBuilder()
    total = b.node(Op.ADD, [_image(b), b.input("z", (1, 6, 5, 4))])
    scaled = b.node(Op.MUL, [total, b.random("s", (4,))])
    graph = b.build(b.node(Op.ADD, [scaled, b.random("o", (4,))], BinaryAttrs(RELU)))
    after = run_passes(graph)
    assert _ops(after) == [Op.ADD, Op.DEPTHWISE_CONV_2D]
    assert_same_values(after, graph)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_random_chains_compute_the_same(data: st.DataObject) -> None:
    b = GraphBuilder(seed=data.draw(st.integers(0, 1 << 16)))
    y = b.input("x", (1, 9, 8, data.draw(st.integers(1, 4))))
    for _ in range(data.draw(st.integers(2, 7))):
        step = data.draw(st.sampled_from([*STEPS]))
        y = STEPS[step](b, y, data.draw(st.integers(0, 3)))
    graph = b.build(y)
    assert_same_values(run_passes(graph), graph)


def _same(b: GraphBuilder, x: str, choice: int) -> str:
    weight = b.random("w", (choice + 1, 3, 3, b.tensors[x].shape[3]))
    return b.node(Op.CONV_2D, [x, weight], Conv2DAttrs(padding=SAME))


def _pads(b: GraphBuilder, x: str, choice: int) -> str:
    amounts = ((0, 0), (choice, 1), (0, 1), (0, choice % 2))
    return b.node(Op.PAD, [x], PadAttrs(amounts, [0.0, 1.0][choice % 2]))


STEPS: dict[str, Callable[[GraphBuilder, str, int], str]] = {
    "conv": _same,
    "depthwise": lambda b, x, _: b.node(
        Op.DEPTHWISE_CONV_2D,
        [x, b.random("w", (1, 3, 3, b.tensors[x].shape[3]))],
        DepthwiseConv2DAttrs(padding=SAME),
    ),
    "bn": lambda b, x, _: b.batch_norm(x),
    "pad": _pads,
    "twice": lambda b, x, _: b.node(Op.ADD, [x, x], BinaryAttrs(RELU)),
    "clamp": lambda b, x, c: b.node(Op.CLAMP, [x], ClampAttrs([RELU, Clamp(-1, 1)][c % 2])),
    "one scale": lambda b, x, _: b.node(Op.MUL, [x, b.random("k", (), positive=True)]),
    "max": lambda b, x, _: b.node(Op.MAX_POOL, [x], PoolAttrs((3, 3), (1, 1), SAME)),
    "average": lambda b, x, _: b.node(Op.AVERAGE_POOL, [x], PoolAttrs((3, 3), (1, 1), SAME)),
    "scale": lambda b, x, _: b.node(Op.MUL, [x, b.random("k", b.tensors[x].shape[3:])]),
    "offset": lambda b, x, _: b.node(Op.SUB, [b.random("k", b.tensors[x].shape[3:]), x]),
}
