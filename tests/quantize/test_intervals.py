"""Interval analysis: nothing leaves the ranges, and they are no wider than they must be."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.dead_channels import graphs_with_dead_channels
from tests.support.integer_layers import ACTIVATION, SAME, LayerBuilder
from tests.support.random_graphs import ALL_OPS, quantized_graphs, random_graph, random_inputs
from tinyflow.ir import OPS, Graph, Op, Rounding
from tinyflow.quantize import ChannelRange, channel_ranges, run_reference
from tinyflow.quantize.intervals import TRANSFERS, accumulator_range
from tinyflow.quantize.reference import REFERENCE
from tinyflow.quantize.site import Site

MOST_ELEMENTS = 9
"""Inputs of which every combination of extremes is tried."""


def observed(graph: Graph, inputs: dict[str, np.ndarray]) -> dict[str, ChannelRange]:
    seen: dict[str, ChannelRange] = {}

    def observe(name: str, codes: np.ndarray) -> None:
        shape = graph.tensors[name].shape
        rows = codes.reshape(-1, shape[-1] if len(shape) > 1 else 1).astype(np.int64)
        seen[name] = ChannelRange(rows.min(axis=0), rows.max(axis=0))

    run_reference(graph, inputs, observe)
    return seen


def check_inside(graph: Graph, seed: int) -> None:
    ranges = channel_ranges(graph)
    for name, seen in observed(graph, random_inputs(graph, 8, seed)).items():
        assert (seen.lo >= ranges[name].lo).all() and (seen.hi <= ranges[name].hi).all(), name


@settings(max_examples=60, deadline=None)
@given(quantized_graphs(), st.integers(0, 99))
def test_every_code_lies_in_its_range(graph: Graph, seed: int) -> None:
    check_inside(graph, seed)


@settings(max_examples=40, deadline=None)
@given(graphs_with_dead_channels(), st.integers(0, 99))
def test_every_code_lies_in_its_range_where_channels_are_dead(graph: Graph, seed: int) -> None:
    check_inside(graph, seed)


def test_every_operation_of_the_reference_has_a_transfer_function() -> None:
    assert set(TRANSFERS) == set(REFERENCE)


def corners(graph: Graph) -> dict[str, np.ndarray]:
    """Every combination of lowest and highest codes, over all inputs together."""
    sizes = [graph.tensors[name].elements for name in graph.inputs]
    codes = np.array(list(itertools.product((False, True), repeat=sum(sizes))))
    inputs = {}
    for name, part in zip(
        graph.inputs, np.split(codes, np.cumsum(sizes)[:-1], axis=1), strict=True
    ):
        tensor = graph.tensors[name]
        info = np.iinfo(tensor.dtype.numpy)
        values = np.where(part, info.max, info.min).astype(tensor.dtype.numpy)
        inputs[name] = values.reshape(-1, *tensor.shape[1:])
    return inputs


def small_graphs(op: Op, rounding: Rounding, count: int) -> list[Graph]:
    """Graphs of one node whose inputs are different and have few elements."""
    found: list[Graph] = []
    for seed in itertools.count():
        graph = random_graph(seed, (op,), 1, rounding)
        elements = sum(graph.tensors[name].elements for name in graph.inputs)
        (*_, node) = graph.nodes
        distinct = len(set(node.inputs)) == len(node.inputs)
        if len(graph.nodes) == 1 and distinct and elements <= MOST_ELEMENTS:
            found.append(graph)
        if len(found) == count:
            return found
    raise AssertionError


TABLES = [op for op in ALL_OPS if OPS[op].unary and op is not Op.QUANTIZE]
BENT = [*TABLES, Op.PRELU]
BOUNDED = {Op.ATTENTION, Op.CROSS_COVARIANCE, Op.L2_NORM, Op.LAYER_NORM, Op.SOFTMAX}
NOT_AT_CORNERS = {*BOUNDED, Op.QUANTIZE, *BENT}
"""Of these the range is a bound, or their extremes lie inside; some are tested below."""


@pytest.mark.parametrize("op", [op for op in ALL_OPS if op not in NOT_AT_CORNERS])
def test_the_ends_are_reached(op: Op) -> None:
    for graph in small_graphs(op, Rounding.DOUBLE, 10):
        ranges = channel_ranges(graph)
        for name, seen in observed(graph, corners(graph)).items():
            np.testing.assert_array_equal(seen.lo, ranges[name].lo, str(graph))
            np.testing.assert_array_equal(seen.hi, ranges[name].hi, str(graph))


@pytest.mark.parametrize("op", BENT)
def test_the_ends_of_a_function_are_those_of_all_codes(op: Op) -> None:
    for seed in range(20):
        graph = random_graph(seed, (op,), 1)
        ranges = channel_ranges(graph)
        (name,) = graph.inputs
        shape = graph.tensors[name].shape[1:]
        codes = np.arange(-128, 128).astype(np.int8)
        codes = np.broadcast_to(codes.reshape(-1, *(1 for _ in shape)), (256, *shape))
        seen = observed(graph, {name: codes})[graph.outputs[0]]
        np.testing.assert_array_equal(seen.lo, ranges[graph.outputs[0]].lo)
        np.testing.assert_array_equal(seen.hi, ranges[graph.outputs[0]].hi)


def test_a_constant_input_with_padding_gives_the_sums_of_each_border() -> None:
    b = LayerBuilder()
    x = b.image("x", (1, 5, 5, 1))
    weight = b.weights((1, 3, 3, 1))
    bias = b.biases(1)
    y = b.conv(x, weight, bias, "conv", SAME)
    graph = b.finish(y)
    (node,) = graph.nodes
    site = Site.of(graph, node, Rounding.DOUBLE)
    code = np.array([7])
    found = accumulator_range(site, ChannelRange(code, code))
    offset = 7 - ACTIVATION.zero_point
    taps = weight[0, :, :, 0].astype(np.int64) * offset
    parts = (slice(0, 2), slice(0, 3), slice(1, 3))
    sums = [taps[rows, columns].sum() for rows in parts for columns in parts]
    assert (found.lo, found.hi) == (min(sums) + bias[0], max(sums) + bias[0])


def test_sums_take_the_range_of_each_channel() -> None:
    b = LayerBuilder()
    x = b.image("x", (1, 2, 2, 3))
    weight = np.array([[2, -3, 5], [-7, 11, 13]], dtype=np.int8).reshape(2, 1, 1, 3)
    graph = b.finish(b.conv(x, weight, None, "conv"))
    site = Site.of(graph, graph.nodes[0], Rounding.DOUBLE)
    x_range = ChannelRange(np.array([-128, -118, -127]), np.array([-127, -108, -127]))
    found = accumulator_range(site, x_range)
    np.testing.assert_array_equal(found.lo, [0 - 60 + 5, -7 + 110 + 13])
    np.testing.assert_array_equal(found.hi, [2 - 30 + 5, 0 + 220 + 13])


def test_a_graph_without_integers_is_refused() -> None:
    b = LayerBuilder()
    graph = b.build(b.conv(b.image("x", (1, 2, 2, 1)), b.weights((1, 1, 1, 1)), None, "conv"))
    with pytest.raises(ValueError, match="attach_integers comes first"):
        channel_ranges(graph)


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        ChannelRange(np.array([2]), np.array([1]))
