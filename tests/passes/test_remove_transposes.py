"""TRANSPOSEs cancel, sink, become RESHAPEs, or end in the graph's layouts."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.graphs import GraphBuilder
from tests.support.onnx_models import assert_close, ops, random_inputs, run_graph
from tinyflow.ir import RELU, DType, Graph, Op, QuantParams, check_graph
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.concat import ConcatAttrs
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.ir.ops.matmul import MatmulAttrs
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.pad import PadAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.slice import SliceAttrs
from tinyflow.ir.ops.transpose import TransposeAttrs
from tinyflow.passes.remove_transposes import cost, remove_transposes
from tinyflow.passes.transposes.sinking import sink_moves

NHWC, NCHW = (0, 2, 3, 1), (0, 3, 1, 2)
PADDING = ((1, 1), (1, 1))


def transpose(b: GraphBuilder, x: str, perm: tuple[int, ...]) -> str:
    return b.node(Op.TRANSPOSE, [x], TransposeAttrs(perm))


def conv(b: GraphBuilder, x: str, channels: int = 4) -> str:
    """A channels-first 3x3 convolution, wrapped as the importer wraps it."""
    x = transpose(b, x, NHWC)
    weight = b.random("w", (channels, 3, 3, b.tensors[x].shape[3]), scale=0.3)
    return transpose(b, b.node(Op.CONV_2D, [x, weight], Conv2DAttrs(padding=PADDING)), NCHW)


def removed(graph: Graph) -> Graph:
    """The graph after the pass, which computes the same and is at rest."""
    after, changed = remove_transposes(graph)
    check_graph(after, "remove_transposes")
    assert changed or after is graph
    assert after.inputs == graph.inputs
    assert after.outputs == graph.outputs
    assert cost(after) <= cost(graph)
    assert remove_transposes(after)[1] is False
    inputs = random_inputs(graph)
    # More than one picture, since shapes are written for one.
    inputs = {name: np.concatenate([x, x[::-1] * 0.5 + 1]) for name, x in inputs.items()}
    assert_close(run_graph(after, inputs), run_graph(graph, inputs))
    return after


def test_inverse_pairs_cancel_and_the_rest_goes_to_the_boundary() -> None:
    b = GraphBuilder()
    after = removed(b.build(conv(b, conv(b, b.input("x", (1, 3, 5, 6))))))
    assert ops(after) == [Op.CONV_2D, Op.CONV_2D]
    assert after.layouts == {"x": NHWC, after.outputs[0]: NHWC}
    assert after.tensors["x"].shape == (1, 5, 6, 3)


def test_axes_of_one_element_at_the_boundary_are_layouts_too() -> None:
    b = GraphBuilder()
    after = removed(b.build(conv(b, b.input("x", (1, 1, 5, 6)), 1)))
    assert ops(after) == [Op.CONV_2D]
    assert after.layouts == {"x": NHWC, after.outputs[0]: NHWC}


@pytest.mark.parametrize("perm", [(0, 2, 1, 3), (0, 3, 1, 2)])
def test_transposes_do_not_pass_a_matrix_product(perm: tuple[int, ...]) -> None:
    """Heads by their own transposes: what surrounds the product may move, its axes may not."""
    b = GraphBuilder()
    x = b.node(Op.SOFTMAX, [b.input("x", (1, 4, 4, 4))])
    y = b.node(Op.TANH, [transpose(b, x, perm)])
    z = transpose(b, b.node(Op.MATMUL, [y, x], MatmulAttrs(transpose_b=True)), perm)
    w = b.node(Op.MATMUL, [b.node(Op.SIGMOID, [z]), y])
    after = removed(b.build(w))
    assert [op for op in ops(after) if op is not Op.TRANSPOSE] == [
        Op.SOFTMAX, Op.TANH, Op.MATMUL, Op.SIGMOID, Op.MATMUL,
    ]  # fmt: skip
    assert Op.TRANSPOSE in ops(after)


def test_matrix_products_read_operands_with_their_last_axes_exchanged() -> None:
    b = GraphBuilder()
    x = b.node(Op.SOFTMAX, [b.input("x", (1, 2, 3, 5))])
    y = b.node(Op.TANH, [transpose(b, x, (0, 1, 3, 2))])
    after = removed(b.build(b.node(Op.MATMUL, [y, b.node(Op.SIGMOID, [x])])))
    assert ops(after) == [Op.SOFTMAX, Op.TANH, Op.SIGMOID, Op.MATMUL]
    assert after.nodes[-1].attrs == MatmulAttrs(transpose_a=True)


def test_layouts_add_up() -> None:
    b = GraphBuilder()
    graph = b.build(b.node(Op.SOFTMAX, [transpose(b, b.input("x", (1, 3, 5, 6)), (0, 2, 1, 3))]))
    first = removed(graph)
    assert first.layouts == {"x": (0, 2, 1, 3)}
    b = GraphBuilder()
    y = transpose(b, transpose(b, b.input("x", (1, 3, 5, 6)), NHWC), (0, 2, 1, 3))
    assert removed(b.build(b.node(Op.SOFTMAX, [y]))).layouts == {"x": (0, 3, 2, 1)}


UNARY = {
    Op.CLAMP: ClampAttrs(RELU),
    Op.SIGMOID: None,
    Op.TANH: None,
    Op.HARD_SWISH: None,
    Op.HARD_SIGMOID: None,
    Op.LEAKY_RELU: None,
}


@pytest.mark.parametrize("op", UNARY)
def test_functions_of_one_element_follow(op: Op) -> None:
    b = GraphBuilder()
    y = b.node(op, [conv(b, b.input("x", (1, 3, 5, 6)))], UNARY[op])
    assert ops(removed(b.build(conv(b, y)))) == [Op.CONV_2D, op, Op.CONV_2D]


@pytest.mark.parametrize("op", [Op.ADD, Op.SUB, Op.MUL])
@pytest.mark.parametrize("shape", [(), (1,), (6,), (5, 6), (4, 1, 1), (1, 4, 5, 6), (1, 4, 1, 6)])
@pytest.mark.parametrize("first", [False, True])
def test_constants_follow(op: Op, shape: tuple[int, ...], first: bool) -> None:
    b = GraphBuilder()
    operands = [conv(b, b.input("x", (1, 3, 5, 6))), b.random("c", shape)]
    y = b.node(op, operands[::-1] if first else operands)
    assert ops(removed(b.build(conv(b, y)))) == [Op.CONV_2D, op, Op.CONV_2D]


@pytest.mark.parametrize("shape", [(), (6,), (4, 1, 1), (1, 4, 5, 6)])
def test_slopes_follow(shape: tuple[int, ...]) -> None:
    b = GraphBuilder()
    y = b.node(Op.PRELU, [conv(b, b.input("x", (1, 3, 5, 6))), b.random("slope", shape)])
    assert ops(removed(b.build(conv(b, y)))) == [Op.CONV_2D, Op.PRELU, Op.CONV_2D]


def test_residual_and_input_in_one_sum() -> None:
    b = GraphBuilder()
    x = b.input("x", (1, 3, 5, 6))
    y = b.node(Op.ADD, [x, conv(b, x, 3)])
    z = b.node(Op.ADD, [conv(b, y, 3), y])
    assert Op.TRANSPOSE not in ops(removed(b.build(b.node(Op.CLAMP, [z], ClampAttrs(RELU)))))


def test_axes_of_concat_pad_slice_and_mean() -> None:
    b = GraphBuilder()
    x = b.input("x", (1, 3, 5, 6))
    y = b.node(Op.CONCAT, [conv(b, x), conv(b, x, 2)], ConcatAttrs(1))
    y = b.node(Op.PAD, [y], PadAttrs(((0, 0), (1, 0), (0, 2), (3, 0)), 0.5))
    y = b.node(Op.SLICE, [y], SliceAttrs((0, 1, 0, 2), (1, 7, 7, 8), (1, 2, 1, 3)))
    y = b.node(Op.MEAN, [y], MeanAttrs((1,), keep_dims=True))
    after = removed(b.build(conv(b, y)))
    assert Op.TRANSPOSE not in ops(after)
    assert [n.attrs for n in after.nodes if n.op in (Op.CONCAT, Op.MEAN)] == [
        ConcatAttrs(3),
        MeanAttrs((3,), keep_dims=True),
    ]


def test_batch_norm_of_channels() -> None:
    b = GraphBuilder()
    y = transpose(b, conv(b, b.input("x", (1, 3, 5, 6))), NHWC)
    y = transpose(b, b.batch_norm(y), NCHW)
    assert ops(removed(b.build(conv(b, y)))) == [Op.CONV_2D, Op.BATCH_NORM, Op.CONV_2D]


def test_mean_that_drops_its_axes() -> None:
    b = GraphBuilder()
    y = b.node(Op.MEAN, [conv(b, b.input("x", (1, 3, 5, 6)))], MeanAttrs((2, 3)))
    after = removed(b.build(b.node(Op.FULLY_CONNECTED, [y, b.random("w", (2, 4))])))
    assert ops(after) == [Op.CONV_2D, Op.MEAN, Op.FULLY_CONNECTED]


def test_flattening_permutes_the_weights_below() -> None:
    b = GraphBuilder()
    y = b.node(Op.RESHAPE, [conv(b, b.input("x", (1, 3, 5, 6)))], ReshapeAttrs((1, 120)))
    y = b.node(Op.CLAMP, [b.batch_norm(y)], ClampAttrs(RELU))
    y = b.node(Op.MUL, [y, b.random("c", (120,))])
    first = b.node(Op.FULLY_CONNECTED, [y, b.random("w", (2, 120))])
    second = b.node(Op.FULLY_CONNECTED, [y, b.random("w", (3, 120))])
    assert Op.TRANSPOSE not in ops(removed(b.build(first, second)))


def test_flattened_features_that_are_joined() -> None:
    b = GraphBuilder()
    x = b.input("x", (1, 3, 5, 6))
    flat = [b.node(Op.RESHAPE, [conv(b, x, c)], ReshapeAttrs((1, 30 * c))) for c in (2, 3)]
    y = b.node(Op.CONCAT, [flat[0], b.input("z", (1, 4)), flat[1]], ConcatAttrs(1))
    y = b.node(Op.FULLY_CONNECTED, [y, b.random("w", (2, 154))])
    assert Op.TRANSPOSE not in ops(removed(b.build(y)))


def test_a_flattened_output_keeps_its_order() -> None:
    b = GraphBuilder()
    y = b.node(Op.RESHAPE, [conv(b, b.input("x", (1, 3, 5, 6)))], ReshapeAttrs((1, 120)))
    assert ops(removed(b.build(y))) == [Op.CONV_2D, Op.TRANSPOSE, Op.RESHAPE]


def test_axes_of_one_element_make_a_reshape() -> None:
    b = GraphBuilder()
    y = b.node(Op.MEAN, [conv(b, b.input("x", (1, 3, 5, 6)))], MeanAttrs((2, 3), keep_dims=True))
    y = b.node(Op.RESHAPE, [y], ReshapeAttrs((1, 4)))
    after = removed(b.build(b.node(Op.SOFTMAX, [y])))
    assert ops(after) == [Op.CONV_2D, Op.MEAN, Op.RESHAPE, Op.SOFTMAX]


def test_squeeze_and_excite_through_fully_connected_layers() -> None:
    b = GraphBuilder()
    x = conv(b, b.input("x", (1, 3, 5, 6)))
    y = b.node(Op.MEAN, [x], MeanAttrs((2, 3)))
    y = b.node(Op.SIGMOID, [b.node(Op.FULLY_CONNECTED, [y, b.random("w", (4, 4))])])
    y = b.node(Op.RESHAPE, [y], ReshapeAttrs((1, 4, 1, 1)))
    after = removed(b.build(conv(b, b.node(Op.MUL, [x, y]))))
    assert Op.TRANSPOSE not in ops(after)


def test_signals_pass_without_reshapes_between() -> None:
    b = GraphBuilder()

    def conv1d(x: str) -> str:
        channels, length = b.tensors[x].shape[1:]
        x = b.node(Op.RESHAPE, [transpose(b, x, (0, 2, 1))], ReshapeAttrs((1, 1, length, channels)))
        weight = b.random("w", (4, 1, 3, channels), scale=0.3)
        y = b.node(Op.CONV_2D, [x, weight], Conv2DAttrs(padding=((0, 0), (1, 1))))
        return transpose(b, b.node(Op.RESHAPE, [y], ReshapeAttrs((1, length, 4))), (0, 2, 1))

    y = conv1d(b.input("x", (1, 3, 9)))
    y = transpose(b, b.batch_norm(transpose(b, y, (0, 2, 1))), (0, 2, 1))
    z = b.node(Op.ADD, [conv1d(y), y])
    after = removed(b.build(conv1d(b.node(Op.ADD, [z, b.random("c", (4, 1))]))))
    assert Op.TRANSPOSE not in ops(after)
    assert ops(after).count(Op.RESHAPE) == 2


def test_channel_shuffle_keeps_one_transpose_of_four_axes() -> None:
    b = GraphBuilder()
    y = conv(b, b.input("x", (1, 3, 5, 6)), 8)
    y = b.node(Op.RESHAPE, [y], ReshapeAttrs((1, 2, 4, 5, 6)))
    y = b.node(Op.RESHAPE, [transpose(b, y, (0, 2, 1, 3, 4))], ReshapeAttrs((1, 8, 5, 6)))
    after = removed(b.build(conv(b, y)))
    assert ops(after) == [Op.CONV_2D, Op.RESHAPE, Op.TRANSPOSE, Op.RESHAPE, Op.CONV_2D]
    assert len(after.result(after.nodes[2]).shape) == 4


def test_slices_of_the_input() -> None:
    b = GraphBuilder()
    x = b.node(Op.SUB, [b.input("x", (1, 3, 6, 6)), b.random("mean", (3, 1, 1))])
    corners = [
        b.node(Op.SLICE, [x], SliceAttrs((0, 0, i, j), (1, 3, 6, 6), (1, 1, 2, 2)))
        for i, j in itertools.product((0, 1), repeat=2)
    ]
    after = removed(b.build(conv(b, b.node(Op.CONCAT, corners, ConcatAttrs(1)))))
    assert Op.TRANSPOSE not in ops(after)
    assert after.layouts["x"] == NHWC


def test_input_that_two_orders_are_wanted_of_keeps_its_own() -> None:
    b = GraphBuilder()
    x = b.input("x", (1, 3, 5, 6))
    after = removed(b.build(conv(b, x), b.node(Op.SOFTMAX, [x])))
    assert "x" not in after.layouts
    assert ops(after).count(Op.TRANSPOSE) == 1


def test_input_that_is_also_an_output_keeps_its_order() -> None:
    b = GraphBuilder()
    x = b.input("x", (1, 3, 5, 6))
    after = removed(b.build(transpose(b, x, NHWC), x))
    assert after.layouts == {}


def test_names_of_layers_stay() -> None:
    b = GraphBuilder()
    x = conv(b, b.input("x", (1, 3, 5, 6)))
    graph = b.build(conv(b, b.node(Op.CLAMP, [x], ClampAttrs(RELU), name="relu")))
    kept = {n.name for n in graph.nodes if n.op is not Op.TRANSPOSE}
    assert {n.name for n in removed(graph).nodes} == kept


def test_quantized_tensors_keep_scale_and_zero_point() -> None:
    b = GraphBuilder()
    quant = QuantParams.per_tensor(0.5, 3)
    x = b.input("x", (1, 3, 5, 6), DType.INT8, quant)
    y = b.node(Op.TRANSPOSE, [x], TransposeAttrs(NHWC), quant=quant)
    y = b.node(Op.TRANSPOSE, [y], TransposeAttrs((0, 2, 1, 3)), quant=quant)
    y = b.node(Op.SOFTMAX, [y], quant=QuantParams.per_tensor(1 / 256, -128))
    after, _ = remove_transposes(b.build(y))
    assert ops(after) == [Op.SOFTMAX]
    assert after.tensors["x"].quant == quant
    assert after.tensors["x"].dtype is DType.INT8
    assert after.tensors["x"].shape == (1, 6, 5, 3)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any mixture of TRANSPOSEs, RESHAPEs and layers around them."""
    b = GraphBuilder(seed=draw(st.integers(0, 99)))
    sizes = st.sampled_from([1, 2, 3, 4])
    shape = (1, *(draw(sizes) for _ in range(draw(st.integers(1, 4)))))
    values = [b.input("x", shape)]
    if draw(st.booleans()):
        values.append(b.input("z", shape))
    for _ in range(draw(st.integers(1, 12))):
        x = draw(st.sampled_from(values[-4:]))
        old = b.tensors[x].shape
        kind = draw(
            st.sampled_from(["transpose"] * 4 + ["reshape", "unit", "same", "axis", "last"])
        )
        rest = list(range(1, len(old)))
        if kind == "transpose":
            values.append(transpose(b, x, (0, *draw(st.permutations(rest)))))
        elif kind == "reshape":
            inner = old[1:]
            cut = draw(st.integers(0, len(inner)))
            joined = int(np.prod(inner[:cut])), int(np.prod(inner[cut:]))
            values.append(b.node(Op.RESHAPE, [x], ReshapeAttrs((1, *joined))))
        elif kind == "unit" and len(old) < 5:
            at = draw(st.integers(1, len(old)))
            values.append(b.node(Op.RESHAPE, [x], ReshapeAttrs((*old[:at], 1, *old[at:]))))
        elif kind == "same":
            fits = [v for v in values if b.tensors[v].shape == old]
            constant = b.random("c", old[draw(st.integers(1, len(old))) :])
            other = draw(st.sampled_from([*fits, constant]))
            values.append(b.node(draw(st.sampled_from([Op.ADD, Op.MUL, Op.SUB])), [x, other]))
        elif kind == "axis" and rest:
            axis = draw(st.sampled_from(rest))
            if draw(st.booleans()):
                keep = draw(st.booleans())
                if keep or len(old) > 2:
                    values.append(b.node(Op.MEAN, [x], MeanAttrs((axis,), keep)))
            else:
                values.append(b.node(Op.CONCAT, [x, x], ConcatAttrs(axis)))
        elif kind == "last":
            weight = b.random("w", (draw(sizes), old[-1]))
            values.append(b.node(Op.FULLY_CONNECTED, [x, weight]))
    computed = values[1:] if len(b.nodes) else values
    outputs = {values[-1], draw(st.sampled_from(computed))} - {"x", "z"}
    return b.build(*sorted(outputs))


@given(graphs().filter(lambda g: bool(g.outputs)))
@settings(max_examples=150, deadline=None)
def test_any_graph_computes_the_same(graph: Graph) -> None:
    removed(graph)


@given(graphs().filter(lambda g: bool(g.outputs)))
@settings(max_examples=100, deadline=None)
def test_any_graph_computes_the_same_with_its_moves_sunk(graph: Graph) -> None:
    """Whether it pays or not."""
    after, _ = sink_moves(graph)
    check_graph(after, "sink_moves")
    assert after.outputs == graph.outputs
    inputs = random_inputs(graph)
    inputs = {name: np.concatenate([x, x[::-1] * 0.5 + 1]) for name, x in inputs.items()}
    assert_close(run_graph(after, inputs), run_graph(graph, inputs))
