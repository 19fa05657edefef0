"""Which channels go, and what is left: before, after, expected."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.graphs import assert_same_structure
from tests.support.integer_layers import (
    ACTIVATION,
    DEAD,
    SAME,
    LayerBuilder,
    assert_same_integers,
)
from tests.support.random_graphs import random_inputs
from tinyflow.ir import RELU, Graph, Op, QuantParams, Rounding
from tinyflow.ir.ops.broadcast import BinaryAttrs
from tinyflow.ir.ops.fully_connected import FullyConnectedAttrs
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.pad import PadAttrs
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.slice import SliceAttrs
from tinyflow.ir.ops.transpose import TransposeAttrs
from tinyflow.quantize import Removal, remove_dead_channels, run_reference
from tinyflow.quantize.attach import attach_integers
from tinyflow.quantize.intervals import channel_ranges

ZERO = ACTIVATION.zero_point


def removed(graph: Graph, **kept: list[int]) -> Graph:
    """The graph without its dead channels, proven equal; ``kept`` by node name, others whole."""
    removal = remove_dead_channels(graph)
    for node in graph.nodes:
        expected = kept.get(node.name, list(range(graph.result(node).shape[-1])))
        assert removal.kept[node.output].tolist() == expected, node.name
    assert_equal(graph, removal)
    return removal.graph


def assert_equal(graph: Graph, removal: Removal) -> None:
    """Every channel that is left of every tensor has the values that it had."""
    inputs = random_inputs(graph, 8)
    before: dict[str, np.ndarray] = {}
    after: dict[str, np.ndarray] = {}
    run_reference(graph, inputs, before.__setitem__)
    run_reference(removal.graph, inputs, after.__setitem__)
    assert set(after) == {name for name, kept in removal.kept.items() if len(kept)}
    for name, codes in after.items():
        np.testing.assert_array_equal(codes, before[name][..., removal.kept[name]], name)
    assert remove_dead_channels(removal.graph).graph is removal.graph


def chain(biases: list[np.ndarray], keep: list[int]) -> Graph:
    """A convolution, a depthwise one and a 1x1 one, only some of the inner four channels kept."""
    b = LayerBuilder()
    weights = [b.weights(shape) for shape in ((4, 3, 3, 3), (1, 3, 3, 4), (2, 1, 1, 4))]
    x = b.image("x", (1, 6, 6, 3))
    x = b.conv(x, weights[0][keep], biases[0][keep], "first", SAME, numbers=keep)
    x = b.depthwise(x, weights[1][..., keep], biases[1][keep], "middle", numbers=keep)
    return b.finish(b.conv(x, weights[2][..., keep], biases[2], "last"))


def test_a_dead_channel_goes_from_a_chain_and_into_the_last_bias() -> None:
    # After the depthwise layer, channel 1 is a constant above zero and channel 2 is zero.
    first, middle = np.array([200, DEAD, DEAD, 300]), np.array([200, 3000, -3000, 300])
    last = np.array([150, 250])
    graph = chain([bias.astype(np.int32) for bias in (first, middle, last)], [0, 1, 2, 3])
    found = channel_ranges(graph)["middle:0"]
    assert found.constant.tolist() == [False, True, True, False]
    assert found.lo[1] > ZERO == found.lo[2]

    weight = graph.tensors[graph.nodes[-1].inputs[1]].value.astype(np.int64)
    folded = last + weight[:, 0, 0, 1] * (found.lo[1] - ZERO)
    expected = chain([bias.astype(np.int32) for bias in (first, middle, folded)], [0, 3])
    actual = removed(graph, first=[0, 3], middle=[0, 3])
    assert_same_structure(actual, expected)
    assert_same_integers(actual, expected)


def constant_layer(b: LayerBuilder, x: str, code_above_zero: bool) -> str:
    """Four channels, of which channel 2 is constant, at the zero point or above it."""
    weight = b.weights((4, 1, 1, b.tensors[x].shape[-1]))
    weight[2] = 0
    bias = b.biases(4)
    bias[2] = 4000 if code_above_zero else -4000
    return b.conv(x, weight, bias, "made")


@pytest.mark.parametrize("above", [False, True])
@pytest.mark.parametrize("padded", [False, True])
def test_padding_shows_a_constant_that_is_not_zero(above: bool, padded: bool) -> None:
    b = LayerBuilder()
    y = constant_layer(b, b.image("x", (1, 5, 5, 2)), above)
    padding = SAME if padded else ((0, 0), (0, 0))
    graph = b.finish(b.conv(y, b.weights((3, 3, 3, 4)), b.biases(3), "last", padding))
    removed(graph, made=[0, 1, 2, 3] if above and padded else [0, 1, 3])


def test_padding_that_hides_no_weight_is_no_obstacle() -> None:
    b = LayerBuilder()
    y = constant_layer(b, b.image("x", (1, 5, 5, 2)), True)
    weight = b.weights((3, 3, 3, 4))
    weight[:, :, :, 2] = 0
    weight[:, 1, 1, 2] = 5
    graph = b.finish(b.conv(y, weight, b.biases(3), "last", SAME))
    removed(graph, made=[0, 1, 3])


def test_a_layer_without_bias_gets_one() -> None:
    b = LayerBuilder()
    y = constant_layer(b, b.image("x", (1, 5, 5, 2)), True)
    graph = b.finish(b.conv(y, b.weights((3, 1, 1, 4)), None, "last"))
    result = removed(graph, made=[0, 1, 3])
    assert result.nodes[-1].inputs[2] == "last/bias"
    assert attach_integers(result)


def test_a_channel_that_no_weight_reads_goes() -> None:
    b = LayerBuilder()
    y = b.conv(b.image("x", (1, 5, 5, 2)), b.weights((4, 3, 3, 2)), b.biases(4), "first")
    y = b.depthwise(y, b.weights((1, 3, 3, 4)), b.biases(4), "middle")
    weight = b.weights((3, 3, 3, 4))
    weight[..., [0, 3]] = 0
    graph = b.finish(b.conv(y, weight, b.biases(3), "last", SAME))
    removed(graph, first=[1, 2], middle=[1, 2])


def test_inputs_and_outputs_stay_whole() -> None:
    b = LayerBuilder()
    weight = b.weights((4, 1, 1, 3))
    weight[..., 1] = 0
    graph = b.finish(b.conv(b.image("x", (1, 4, 4, 3)), weight, b.biases(4, dead=[0]), "only"))
    assert remove_dead_channels(graph).graph is graph


def test_everything_dead_leaves_one_channel() -> None:
    b = LayerBuilder()
    y = b.conv(b.image("x", (1, 4, 4, 3)), b.weights((4, 1, 1, 3)), b.biases(4, range(4)), "first")
    y = b.depthwise(y, b.weights((1, 3, 3, 4)), b.biases(4), "middle")
    graph = b.finish(b.conv(y, b.weights((2, 1, 1, 4)), b.biases(2), "last"))
    removed(graph, first=[0], middle=[0])


def residual(dead_left: list[int], dead_right: list[int]) -> Graph:
    b = LayerBuilder()
    x = b.image("x", (1, 4, 4, 3))
    left = b.conv(x, b.weights((4, 1, 1, 3)), b.biases(4, dead_left), "left")
    right = b.conv(left, b.weights((4, 3, 3, 4)), b.biases(4, dead_right), "right", SAME)
    y = b.same_scale(Op.ADD, [left, right], BinaryAttrs(), "sum")
    y = b.same_scale(Op.MAX_POOL, [y], PoolAttrs((2, 2), (2, 2)), "pool")
    y = b.same_scale(Op.MEAN, [y], MeanAttrs((1, 2)), "mean")
    return b.finish(b.dense(y, b.weights((3, 4)), b.biases(3), "last"))


def test_an_addition_loses_what_both_sides_lose() -> None:
    rest = {"left": [0, 2], "right": [0, 2], "sum": [0, 2], "pool": [0, 2], "mean": [0, 2]}
    result = removed(residual([1, 3], [1, 3]), **rest)
    last = result.nodes[-1]
    assert result.tensors[last.inputs[1]].shape == (3, 2)


def test_an_addition_keeps_what_one_side_needs() -> None:
    removed(residual([1], [2]))


def test_a_constant_operand_is_cut() -> None:
    b = LayerBuilder()
    y = constant_layer(b, b.image("x", (1, 4, 4, 3)), True)
    factors = b.constant("factors", np.array([-120, -118, -115, -112], np.int8), ACTIVATION)
    y = b.same_scale(Op.MUL, [y, factors], BinaryAttrs(), "scaled")
    y = b.same_scale(Op.ADD, [factors, y], BinaryAttrs(), "moved")
    graph = b.finish(b.conv(y, b.weights((2, 1, 1, 4)), b.biases(2), "last"))
    result = removed(graph, made=[0, 1, 3], scaled=[0, 1, 3], moved=[0, 1, 3])
    assert {t.shape for name, t in result.constants.items() if "factors" in name} == {(3,)}


def test_concatenated_parts_are_cut_and_may_vanish() -> None:
    b = LayerBuilder()
    x = b.image("x", (1, 4, 4, 3))
    parts = [
        b.conv(x, b.weights((2, 1, 1, 3)), b.biases(2, dead), name)
        for name, dead in (("whole", []), ("half", [0]), ("none", [0, 1]))
    ]
    parts.insert(1, b.constant("fixed", np.full((1, 4, 4, 2), ZERO, dtype=np.int8), ACTIVATION))
    y = b.concat(parts, "joined")
    graph = b.finish(b.conv(y, b.weights((2, 3, 3, 8)), b.biases(2), "last", SAME))
    result = removed(graph, half=[1], none=[], joined=[0, 1, 5])
    assert [n.name for n in result.nodes] == ["whole", "half", "joined", "last"]
    assert set(result.constants) == {f"{n}/{c}" for n in ("whole", "half", "last") for c in "wb"}


def test_an_input_of_which_nothing_is_used_stays_an_input() -> None:
    b = LayerBuilder()
    x, z = b.image("x", (1, 4, 4, 3)), b.image("z", (1, 4, 4, 3))
    dead = b.conv(x, b.weights((2, 1, 1, 3)), b.biases(2, [0, 1]), "dead")
    alive = b.conv(z, b.weights((2, 1, 1, 3)), b.biases(2), "alive")
    y = b.concat([dead, alive], "joined")
    graph = b.finish(b.conv(y, b.weights((2, 1, 1, 4)), b.biases(2), "last"))
    assert removed(graph, dead=[], joined=[2, 3]).inputs == ("x", "z")


def test_channels_are_followed_through_a_flattened_image() -> None:
    b = LayerBuilder()
    y = constant_layer(b, b.image("x", (1, 2, 3, 2)), True)
    y = b.same_scale(Op.RESHAPE, [y], ReshapeAttrs((1, 24)), "flat")
    graph = b.finish(b.dense(y, b.weights((3, 24)), b.biases(3), "last"))
    flat = [pixel * 4 + c for pixel in range(6) for c in (0, 1, 3)]
    result = removed(graph, made=[0, 1, 3], flat=flat)
    assert result.nodes[1].attrs == ReshapeAttrs((1, 18))


def test_features_that_become_an_image_go_together() -> None:
    b = LayerBuilder()
    x = b.image("x", (1, 5))
    weight, bias = b.weights((8, 5)), b.biases(8)
    # Features 1 and 5 become channel 1 of both pixels; feature 2 alone is half a channel.
    weight[[1, 2, 5]], bias[[1, 2, 5]] = 0, 0
    y = b.dense(x, weight, bias, "made")
    y = b.same_scale(Op.RESHAPE, [y], ReshapeAttrs((1, 1, 2, 4)), "image")
    graph = b.finish(b.conv(y, b.weights((2, 1, 1, 4)), b.biases(2), "last"))
    removed(graph, made=[0, 2, 3, 4, 6, 7], image=[0, 2, 3])


def test_a_group_goes_whole_or_not_at_all() -> None:
    b = LayerBuilder()
    x = b.image("x", (1, 4, 4, 3))
    y = b.conv(x, b.weights((6, 1, 1, 3)), b.biases(6, dead=[0, 2, 3]), "first")
    y = b.conv(y, b.weights((6, 3, 3, 2)), b.biases(6, dead=[0, 2, 3]), "grouped", groups=3)
    graph = b.finish(b.conv(y, b.weights((2, 1, 1, 6)), b.biases(2), "last"))
    result = removed(graph, first=[0, 1, 4, 5], grouped=[0, 1, 4, 5])
    attrs = result.nodes[1].attrs
    assert attrs.groups == 2  # type: ignore[attr-defined]


def test_a_depthwise_channel_goes_with_all_that_it_makes() -> None:
    b = LayerBuilder()
    y = b.conv(b.image("x", (1, 4, 4, 2)), b.weights((3, 1, 1, 2)), b.biases(3), "first")
    y = b.depthwise(y, b.weights((1, 3, 3, 6)), b.biases(6, dead=[0, 2, 3]), "middle")
    graph = b.finish(b.conv(y, b.weights((2, 1, 1, 6)), b.biases(2), "last"))
    removed(graph, first=[0, 2], middle=[0, 1, 4, 5])


def test_slices_of_channels_follow_them() -> None:
    b = LayerBuilder()
    x = b.image("x", (1, 4, 4, 3))
    y = b.conv(x, b.weights((8, 1, 1, 3)), b.biases(8, dead=[1, 4]), "made")
    ends = []
    for name, begin, end in (("low", 0, 3), ("high", 3, 6)):
        attrs = SliceAttrs((0, 0, 0, begin), (1, 4, 4, end), (1, 1, 1, 1))
        part = b.same_scale(Op.SLICE, [y], attrs, name)
        ends.append(b.conv(part, b.weights((2, 1, 1, 3)), b.biases(2), f"of_{name}"))
    # Channels 6 and 7 are in neither slice.
    result = removed(b.finish(*ends), made=[0, 2, 3, 5], low=[0, 2], high=[0, 2])
    slices = {n.name: n.attrs for n in result.nodes if n.op is Op.SLICE}
    assert slices["high"] == SliceAttrs((0, 0, 0, 2), (1, 4, 4, 4), (1, 1, 1, 1))


def test_channels_taken_at_a_stride_stay() -> None:
    b = LayerBuilder()
    x = b.image("x", (1, 4, 4, 3))
    y = b.conv(x, b.weights((8, 1, 1, 3)), b.biases(8, dead=[1, 2, 7]), "made")
    attrs = SliceAttrs((0, 0, 0, 0), (1, 4, 4, 6), (1, 1, 1, 2))
    y = b.same_scale(Op.SLICE, [y], attrs, "some")
    graph = b.finish(b.conv(y, b.weights((2, 1, 1, 3)), b.biases(2), "last"))
    removed(graph, made=[0, 1, 2, 3, 4, 5])


def test_padded_channels_are_dead_too() -> None:
    b = LayerBuilder()
    y = constant_layer(b, b.image("x", (1, 4, 4, 3)), False)
    pads = ((0, 0), (1, 0), (0, 1), (2, 1))
    y = b.same_scale(Op.PAD, [y], PadAttrs(pads), "padded")
    graph = b.finish(b.conv(y, b.weights((2, 3, 3, 7)), b.biases(2), "last"))
    result = removed(graph, made=[0, 1, 3], padded=[2, 3, 5])
    assert result.nodes[1].attrs == PadAttrs(((0, 0), (1, 0), (0, 1), (0, 0)))


def test_operations_across_channels_keep_them() -> None:
    b = LayerBuilder()
    y = constant_layer(b, b.image("x", (1, 4, 4, 3)), False)
    turned = b.same_scale(Op.TRANSPOSE, [y], TransposeAttrs((0, 3, 1, 2)), "turned")
    mean = b.same_scale(Op.MEAN, [y], MeanAttrs((3,), True), "mean")
    removed(b.finish(turned, mean))


def test_weights_that_two_layers_share_are_cut_for_each() -> None:
    b = LayerBuilder()
    x = b.image("x", (1, 4, 4, 3))
    left = b.conv(x, b.weights((4, 1, 1, 3)), b.biases(4, dead=[0]), "left")
    right = b.conv(x, b.weights((4, 1, 1, 3)), b.biases(4, dead=[1, 2]), "right")
    first = b.conv(left, b.weights((2, 1, 1, 4)), b.biases(2), "of_left")
    shared = b.nodes[-1].inputs[1:]
    attrs = b.nodes[-1].attrs
    second = b.node(Op.CONV_2D, [right, *shared], attrs, "of_right", ACTIVATION)
    result = removed(b.finish(first, second), left=[1, 2, 3], right=[0, 3])
    weights = [n.inputs[1] for n in result.nodes[2:]]
    assert [result.tensors[w].shape for w in weights] == [(2, 1, 1, 3), (2, 1, 1, 2)]


def test_a_layer_that_reads_constants_alone_is_left_as_it_is() -> None:
    b = LayerBuilder()
    y = constant_layer(b, b.image("x", (1, 1, 1, 3)), False)
    fixed = b.constant("fixed", np.full((1, 4), ZERO, dtype=np.int8), ACTIVATION)
    fixed = b.same_scale(Op.RESHAPE, [fixed], ReshapeAttrs((1, 1, 1, 4)), "shaped")
    y = b.same_scale(Op.ADD, [y, fixed], BinaryAttrs(), "sum")
    weight = b.weights((2, 1, 1, 4))
    # What the addition needs of channel 1 it still needs, though nothing reads it afterwards.
    weight[..., 1] = 0
    removed(b.finish(b.conv(y, weight, b.biases(2), "last")))


def test_weights_with_a_zero_point() -> None:
    b = LayerBuilder()
    weight, bias = b.weights((4, 3)), b.biases(4, dead=[0])
    weight[1], bias[1] = 3, 2000
    y = b.image("x", (1, 3))
    for name, codes, biases in (
        ("first", weight, bias),
        ("last", b.weights((2, 4)), b.biases(2)),
    ):
        w = b.constant(f"{name}/w", codes.astype(np.int8), QuantParams.per_tensor(0.02, 3))
        c = b.constant(f"{name}/b", biases, QuantParams.per_tensor(0.001))
        y = b.node(Op.FULLY_CONNECTED, [y, w, c], FullyConnectedAttrs(RELU), name, ACTIVATION)
    removed(b.finish(y), first=[2, 3])


def test_the_counts_are_those_of_layers_with_weights() -> None:
    removal = remove_dead_channels(residual([1, 3], [1, 3]))
    # left: 2 of 4 outputs; right: a quarter of its products stays; last: 2 of 4 inputs.
    assert removal.channels == 4
    assert removal.macs == 16 * 3 * 2 + 16 * 9 * (4 * 4 - 2 * 2) + 3 * 2


def test_single_rounding_and_integers_that_stay() -> None:
    graph = residual([1, 3], [1, 3])
    graph = attach_integers(graph, Rounding.SINGLE)
    removal = remove_dead_channels(graph)
    assert removal.channels == 4
    assert_equal(graph, removal)
    assert_same_integers(removal.graph, attach_integers(removal.graph, Rounding.SINGLE))


def test_a_bias_of_thirty_bits_is_no_obstacle() -> None:
    graph = residual([1, 3], [1, 3])
    assert DEAD > -(2**30)
    b = LayerBuilder()
    y = b.conv(b.image("x", (1, 4, 4, 3)), b.weights((4, 1, 1, 3)), b.biases(4, [1], -(2**30)), "a")
    graph = b.finish(b.conv(y, b.weights((2, 1, 1, 4)), b.biases(2), "last"))
    removed(graph, a=[0, 2, 3])
