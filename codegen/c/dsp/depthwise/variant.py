"""The kernel variant: where it applies, what it asks for, and its calls."""

from __future__ import annotations

from functools import partial
from weakref import WeakKeyDictionary

import numpy as np

from tinyflow.codegen.c.blocks import Block
from tinyflow.codegen.c.dsp.depthwise.finish import Finish
from tinyflow.codegen.c.dsp.depthwise.plan import make_plan
from tinyflow.codegen.c.dsp.depthwise.sweep import Sweep
from tinyflow.codegen.c.dsp.depthwise.taps import pack_weights
from tinyflow.codegen.c.dsp.depthwise.twin import twin_of
from tinyflow.codegen.c.dsp.requant import find_requant, reachable
from tinyflow.codegen.c.layer import KernelCall, Layer
from tinyflow.codegen.c.sources import Feature, Goal
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.codegen.schedule import Demand
from tinyflow.ir import DType, Graph, Node, Op, Rounding
from tinyflow.ir.integer import AccumulateForm
from tinyflow.ir.ops.depthwise_conv2d import DepthwiseConv2DAttrs

MOST_PAIRS = 128
"""Weight pairs of a channel that may lie on the stack: half a kilobyte."""

SPEED_BYTES = 8192
BALANCED_BYTES = 2560
"""Scratch for the planes, where a band of one line does not take more."""

SIGNATURE = (
    "int8_t *out, const int16_t *planes, const int32_t *stream, int32_t lines, int32_t channels"
)

_FINISHES: WeakKeyDictionary[Graph, dict[str, Finish]] = WeakKeyDictionary()


def applies(graph: Graph, node: Node) -> bool:
    """One output channel per input channel, no dilation, a window of up to 16 by 8."""
    operand, weight = graph.operands(node)[:2]
    result = graph.result(node)
    assert isinstance(node.attrs, DepthwiseConv2DAttrs)
    dilations = zip(weight.shape[1:3], node.attrs.dilations, strict=True)
    if any(kernel > 1 and dilation > 1 for kernel, dilation in dilations):
        return False
    if operand.shape[3] != result.shape[3] or {operand.dtype, result.dtype} != {DType.INT8}:
        return False
    plan = make_plan(graph, node, BALANCED_BYTES)
    return plan.pairs <= MOST_PAIRS and bool(_finish(graph, node).requant.holds.all())


def _finish(graph: Graph, node: Node) -> Finish:
    """The requantization of sums times 256 where a register holds these, else of plain sums."""
    known = _FINISHES.setdefault(graph, {})
    if node.name not in known:
        assert isinstance(node.integer, AccumulateForm)
        lo, hi = reachable(graph, node)
        zero = graph.result(node).params.zero_point
        rounding = graph.rounding or Rounding.DOUBLE
        for preshifted in (True, False):
            finish = Finish.of(find_requant(node.integer, lo, hi, zero, rounding, preshifted))
            if finish.requant.holds.all():
                break
        known[node.name] = finish
    return known[node.name]


def demand(limit: int, graph: Graph, node: Node) -> Demand:
    plan = make_plan(graph, node, limit)
    return Demand(plan.scratch_bytes, plan.overwrites())


def bind(limit: int, layer: Layer) -> list[KernelCall]:
    plan = make_plan(layer.graph, layer.node, limit)
    finish = _finish(layer.graph, layer.node)
    sweep = Sweep(plan, finish, finish.requant.register_shift > 0)
    stream = _stream(layer, sweep)
    lines, points = plan.lines, plan.points
    in_place = layer.schedule.placements[layer.result.name].alias_of is not None
    fields = [
        {"in_lines": lines.size, "in_points": points.size},
        {"out_lines": lines.out_size},
        {"in_line_step": lines.in_step, "in_point_step": points.in_step},
        {"out_line_step": lines.out_step},
        {"pad_lines": lines.pad, "pad_points": points.pad},
        {"kernel_lines": lines.kernel, "stride_lines": lines.stride},
        {"channels": plan.channels},
        {"band": plan.band},
        {"line_size": 2 * plan.line_words},
        {"plane_size": 2 * plan.line_words * plan.plane_lines},
        {"whole": int(plan.transposed or in_place), "transposed": int(plan.transposed)},
        {"in_zero": layer.operands[0].params.zero_point},
        {"stream": layer.packed_weight("stream", stream), "stream_step": stream.shape[1]},
        {"sweep": layer.block(_block(sweep, stream.shape[1]))},
    ]
    return [layer.call("depthwise_planes_s8", fields, scratch=layer.scratch, folder="dsp/")]


def _block(sweep: Sweep, stream_step: int) -> Block:
    plan = sweep.plan
    return Block(
        stem=f"depthwise_{plan.lines.kernel}x{plan.points.kernel}_{plan.points.out_size}",
        signature=SIGNATURE,
        twin=twin_of(sweep, stream_step),
        lines=tuple(sweep.lines()),
        comment=sweep.comment,
    )


def _stream(layer: Layer, sweep: Sweep) -> np.ndarray:
    """int32 [channels, words]: weights, bias, constants of requantization."""
    weight = layer.operands[1].value[0]
    bias = np.zeros(weight.shape[2], dtype=np.int64)
    if len(layer.operands) > 2:
        bias += layer.operands[2].value
    # The planes hold codes, not their distance from the zero point.
    bias -= layer.operands[0].params.zero_point * weight.astype(np.int64).sum(axis=(0, 1))
    bias <<= 8 * sweep.scaled
    turned = weight.transpose(1, 0, 2) if sweep.plan.transposed else weight
    words = [_wrapped(bias), *map(_wrapped, sweep.finish.tables.values())]
    return np.column_stack([pack_weights(turned, sweep.plan.odd), *words])


def _wrapped(values: np.ndarray) -> np.ndarray:
    """Modulo 2**32, as int32."""
    return values.astype(np.int64).astype(np.int32)


def _variant(limit: int, *goals: Goal) -> Variant:
    return Variant(
        "depthwise planes",
        Op.DEPTHWISE_CONV_2D,
        partial(bind, limit),
        frozenset({Feature.DSP}),
        applies,
        partial(demand, limit),
        frozenset(goals),
    )


SPEED = _variant(SPEED_BYTES, Goal.SPEED)
BALANCED = _variant(BALANCED_BYTES, Goal.BALANCED)
