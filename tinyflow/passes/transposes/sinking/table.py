"""Lets RESHAPE and TRANSPOSE sink below everything that can do with operands as they are stored."""

from __future__ import annotations

from tinyflow.ir import Graph, Op
from tinyflow.passes.transposes.relayout import ELEMENTWISE, UNARY
from tinyflow.passes.transposes.sinking.attentions import sink_attention, sink_channel_gate
from tinyflow.passes.transposes.sinking.axes import sink_concat, sink_mean, sink_pad, sink_slice
from tinyflow.passes.transposes.sinking.elementwise import sink_binary, sink_unary
from tinyflow.passes.transposes.sinking.last_axis import sink_fully_connected, sink_last_axis
from tinyflow.passes.transposes.sinking.matmul import sink_matmul
from tinyflow.passes.transposes.sweep import Rule, Sweep

RULES: dict[Op, Rule] = {
    **dict.fromkeys(UNARY, sink_unary),
    **dict.fromkeys(ELEMENTWISE, sink_binary),
    Op.ATTENTION: sink_attention,
    Op.BATCH_NORM: sink_last_axis,
    Op.CHANNEL_GATE: sink_channel_gate,
    Op.CONCAT: sink_concat,
    Op.CROSS_COVARIANCE: sink_attention,
    Op.FULLY_CONNECTED: sink_fully_connected,
    Op.L2_NORM: sink_last_axis,
    Op.LAYER_NORM: sink_last_axis,
    Op.MATMUL: sink_matmul,
    Op.MEAN: sink_mean,
    Op.PAD: sink_pad,
    Op.SLICE: sink_slice,
    Op.SOFTMAX: sink_last_axis,
}


def sink_moves(graph: Graph) -> tuple[Graph, bool]:
    """In one walk, each node that takes its operands' axes in any order computes on them as they
    are stored; the moves in front of it end up behind it. Maps that are seen as tokens stay maps.
    """
    return Sweep(graph, RULES).run()
