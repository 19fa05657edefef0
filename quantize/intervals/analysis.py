"""The ranges of all tensors, from the graph's inputs on."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tinyflow.ir import Graph, Op
from tinyflow.quantize.intervals.accumulate import accumulate_range
from tinyflow.quantize.intervals.add import add_range
from tinyflow.quantize.intervals.any import any_range
from tinyflow.quantize.intervals.channel_gate import channel_gate_range
from tinyflow.quantize.intervals.channel_range import ChannelRange
from tinyflow.quantize.intervals.extremum import extremum_range
from tinyflow.quantize.intervals.matmul import matmul_range
from tinyflow.quantize.intervals.mean import mean_range
from tinyflow.quantize.intervals.move import (
    concat_range,
    pad_range,
    reshape_range,
    same_range,
    slice_range,
    transpose_range,
)
from tinyflow.quantize.intervals.mul import mul_range
from tinyflow.quantize.intervals.normalization import normalization_range
from tinyflow.quantize.intervals.pool import pool_range
from tinyflow.quantize.intervals.prelu import prelu_range
from tinyflow.quantize.intervals.shares import shares_range
from tinyflow.quantize.intervals.table import table_range
from tinyflow.quantize.site import Site

TRANSFERS: dict[Op, Callable[..., ChannelRange]] = {
    Op.ABS: table_range,
    Op.ADD: add_range,
    Op.ATTENTION: shares_range,
    Op.ARGMAX: any_range,
    Op.AVERAGE_POOL: pool_range,
    Op.CHANNEL_GATE: channel_gate_range,
    Op.CLAMP: table_range,
    Op.CONCAT: concat_range,
    Op.CONV_2D: accumulate_range,
    Op.CROSS_COVARIANCE: shares_range,
    Op.DEPTHWISE_CONV_2D: accumulate_range,
    Op.DETECTION: any_range,
    Op.ERF: table_range,
    Op.EXP: table_range,
    Op.FULLY_CONNECTED: accumulate_range,
    Op.FUNCTION: table_range,
    Op.GELU: table_range,
    Op.HARD_SIGMOID: table_range,
    Op.HARD_SWISH: table_range,
    Op.L2_NORM: normalization_range,
    Op.LAYER_NORM: normalization_range,
    Op.LEAKY_RELU: table_range,
    Op.LOG: table_range,
    Op.MATMUL: matmul_range,
    Op.MAXIMUM: extremum_range,
    Op.MAX_POOL: pool_range,
    Op.MEAN: mean_range,
    Op.MINIMUM: extremum_range,
    Op.MUL: mul_range,
    Op.PAD: pad_range,
    Op.POWER: table_range,
    Op.PRELU: prelu_range,
    Op.QUANTIZE: table_range,
    Op.RESHAPE: reshape_range,
    Op.RESIZE_BILINEAR: same_range,
    Op.RESIZE_NEAREST: same_range,
    Op.SIGMOID: table_range,
    Op.SLICE: slice_range,
    Op.SOFTMAX: normalization_range,
    Op.SUB: add_range,
    Op.TANH: table_range,
    Op.TRANSPOSE: transpose_range,
    Op.TRANSPOSE_CONV_2D: accumulate_range,
}
"""``TRANSFERS[op](site, *ranges of all operands)``: the range of the result."""


def channel_ranges(graph: Graph) -> Mapping[str, ChannelRange]:
    """For each tensor, the codes that each of its channels can hold, whatever the inputs are.

    Of one layer, given the ranges of its inputs, the ends are exact but for normalizations; across
    layers they are bounds, because channels that depend on each other are taken as independent.
    Constants have the range of their data. The graph must carry its integers.
    """
    if graph.rounding is None:
        raise ValueError("the graph has no integers yet: attach_integers comes first")
    ranges = {name: ChannelRange.full(graph.tensors[name]) for name in graph.inputs}
    ranges |= {name: ChannelRange.of_constant(t) for name, t in graph.constants.items()}
    for node in graph.nodes:
        site = Site.of(graph, node, graph.rounding)
        operands = [ranges[name] for name in node.inputs]
        ranges[node.output] = TRANSFERS[node.op](site, *operands)
    return ranges
