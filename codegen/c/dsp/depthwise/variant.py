"""The kernel variant: where it applies, what it asks for, and its calls."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from weakref import WeakKeyDictionary

import numpy as np

from tinyflow.codegen.c.blocks import Block
from tinyflow.codegen.c.dsp.depthwise.finish import Finish
from tinyflow.codegen.c.dsp.depthwise.gather import Gather
from tinyflow.codegen.c.dsp.depthwise.plan import GROUP, Plan, make_plan
from tinyflow.codegen.c.dsp.depthwise.sweep import Sweep
from tinyflow.codegen.c.dsp.depthwise.taps import pack_weights
from tinyflow.codegen.c.dsp.depthwise.twin import twin_of_gather, twin_of_sweep
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


@dataclass(frozen=True)
class Limits:
    """``scratch_bytes`` for the planes, where a band of one line does not take more, and
    ``straight_bytes`` of code without a loop."""

    scratch_bytes: int
    straight_bytes: int


LARGE = Limits(8192, 600)
SMALL = Limits(2560, 400)

GATHER_SIGNATURE = "int16_t *planes, const int8_t *in, int32_t lines"
SWEEP_SIGNATURE = (
    "int8_t *out, const int16_t *planes, const int32_t *stream, int32_t lines, int32_t channels"
)

_FINISHES: WeakKeyDictionary[Graph, dict[str, Finish]] = WeakKeyDictionary()


def applies(graph: Graph, node: Node) -> bool:
    """No dilation, windows whose weights have room on the stack."""
    operand, weight = graph.operands(node)[:2]
    result = graph.result(node)
    assert isinstance(node.attrs, DepthwiseConv2DAttrs)
    dilations = zip(weight.shape[1:3], node.attrs.dilations, strict=True)
    if any(kernel > 1 and dilation > 1 for kernel, dilation in dilations):
        return False
    if {operand.dtype, result.dtype} != {DType.INT8}:
        return False
    plan = make_plan(graph, node, SMALL.scratch_bytes)
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


def demand(limits: Limits, graph: Graph, node: Node) -> Demand:
    plan = make_plan(graph, node, limits.scratch_bytes)
    return Demand(plan.scratch_bytes, plan.overwrites())


def bind(limits: Limits, layer: Layer) -> list[KernelCall]:
    plan = make_plan(layer.graph, layer.node, limits.scratch_bytes)
    finish = _finish(layer.graph, layer.node)
    sweep = Sweep(plan, finish, finish.requant.register_shift > 0, limits.straight_bytes)
    stream = _stream(layer, sweep)
    lines, points = plan.lines, plan.points
    fields = [
        {"in_lines": lines.size, "in_points": points.size},
        {"out_lines": lines.out_size},
        {"in_line_step": lines.in_step, "in_point_step": points.in_step},
        {"out_line_step": lines.out_step},
        {"pad_lines": lines.pad, "pad_points": points.pad},
        {"kernel_lines": lines.kernel, "stride_lines": lines.stride},
        {"channels": plan.channels, "multiplicity": plan.multiplier},
        {"band": plan.band},
        {"line_size": plan.line_size},
        {"plane_size": plan.plane_size},
        {"in_zero": layer.operands[0].params.zero_point},
        {
            "stream": layer.packed_weight("stream", stream, 1 + len(finish.tables)),
            "stream_step": stream.shape[1],
        },
        {"gather": layer.block(_gather_block(plan)) if plan.group == GROUP else "NULL"},
        {"sweep": layer.block(_sweep_block(sweep, stream.shape[1]))},
    ]
    return [layer.call("depthwise_planes_s8", fields, scratch=layer.scratch, folder="dsp/")]


def _gather_block(plan: Plan) -> Block:
    gather = Gather(plan)
    return Block(
        stem=f"gather_{gather.points}",
        signature=GATHER_SIGNATURE,
        twin=twin_of_gather(gather),
        lines=tuple(gather.lines()),
        comment=gather.comment,
    )


def _sweep_block(sweep: Sweep, stream_step: int) -> Block:
    plan = sweep.plan
    return Block(
        stem=f"depthwise_{plan.lines.kernel}x{plan.points.kernel}_{plan.points.out_size}",
        signature=SWEEP_SIGNATURE,
        twin=twin_of_sweep(sweep, stream_step),
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


def _variant(name: str, limits: Limits, *goals: Goal) -> Variant:
    return Variant(
        name,
        Op.DEPTHWISE_CONV_2D,
        partial(bind, limits),
        frozenset({Feature.DSP}),
        applies,
        partial(demand, limits),
        frozenset(goals),
    )


VARIANTS = (
    _variant("depthwise planes", LARGE, Goal.SPEED),
    _variant("depthwise bands", SMALL, *Goal),
    _variant("depthwise planes", LARGE, Goal.BALANCED),
)
"""Best first: for speed large planes, otherwise small ones."""
