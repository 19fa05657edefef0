"""The kernel variant."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.codegen.c.dsp.products.epilogue import Epilogue
from tinyflow.codegen.c.dsp.requant import Requant, ShortRequant, find_requant, reachable
from tinyflow.codegen.c.dsp.requant.arithmetic import INT32_MAX
from tinyflow.codegen.c.dsp.winograd.plan import Plan, works_in_place
from tinyflow.codegen.c.dsp.winograd.stream import DOUBLED, GROUP, INT16_MAX, pack, transform
from tinyflow.codegen.c.dsp.winograd.tile_block import STAGED_UNROLL, USUAL_UNROLL, tile_block
from tinyflow.codegen.c.dsp.winograd.transform_block import transform_block
from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.codegen.c.sources import Feature, Goal
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.codegen.schedule import Demand
from tinyflow.ir import DType, Graph, Node, Op

LEAST_CHANNELS = 8
"""Input channels below which the rest of a tile takes longer than the transform saves."""

MOST_WASTE = 1.35
"""Outputs of all tiles by those that are wanted, above which direct products are faster."""

_LARGEST_SUM = 1 << 31 - DOUBLED
_LARGEST_OFFSET = 4095


def applies(graph: Graph, node: Node) -> bool:
    """A kernel three wide that moves pixel by pixel, channels in fours; an image on which it is
    faster than direct products, and sums that fit 32 bits twice."""
    attrs: Any = node.attrs
    form: Any = node.integer
    x, weight = graph.operands(node)[:2]
    out_c, kernel_h, kernel_w, in_c = weight.shape
    if kernel_w != 3 or attrs.strides != (1, 1) or attrs.groups != 1:
        return False
    if attrs.dilations[1] != 1 or (attrs.dilations[0] != 1 and kernel_h != 1):
        return False
    if x.is_constant or x.dtype is not DType.INT8 or form.weight_zero:
        return False
    if in_c % 4 or in_c < LEAST_CHANNELS or out_c % GROUP or 2 * kernel_h * in_c > _LARGEST_OFFSET:
        return False
    plan = Plan.of(graph, node)
    if plan is None or plan.waste > MOST_WASTE or out_c + GROUP > _LARGEST_OFFSET:
        return False
    lowest, highest = reachable(graph, node)
    return bool((lowest >= -_LARGEST_SUM).all() and (highest < _LARGEST_SUM).all())


def demand(graph: Graph, node: Node) -> Demand:
    plan = _plan(graph, node)
    return Demand(plan.scratch_bytes, works_in_place(graph, node, plan))


def bind(layer: Layer) -> list[KernelCall]:
    attrs = layer.attrs
    plan = _plan(layer.graph, layer.node)
    _, in_h, in_w, in_c = layer.operands[0].shape
    weight = layer.operands[1].value
    zero = layer.operands[0].params.zero_point
    epilogue = _epilogue(layer)
    bias = -zero * weight.astype(np.int64).sum(axis=(1, 2, 3))
    if len(layer.operands) > 2:
        bias += layer.operands[2].value
    stream = pack(weight, bias, epilogue.tables, epilogue.form.register_shift)
    # Both pixels of a tile are requantized from a copy of the tables of their own.
    table_words = GROUP * (1 + 2 * len(epilogue.tables))
    unroll = USUAL_UNROLL if layer.staging is None else STAGED_UNROLL
    fields: list[FieldLine] = [
        {"in_h": in_h, "in_w": in_w, "in_c": in_c},
        {"out_h": plan.out_h, "out_w": plan.out_w, "out_c": plan.out_c},
        {
            "kernel_h": plan.kernel_h,
            "pad_top": attrs.padding[0][0],
            "pad_left": attrs.padding[1][0],
        },
        {"in_zero": zero},
        {"band": plan.band, "pitch": plan.pitch},
        {"transform": layer.block(transform_block(plan))},
        {"tile": layer.block(tile_block(plan, epilogue, unroll))},
        {"stream": layer.packed_weight("weights", stream, table_words), "words": stream.size},
    ]
    return [layer.call("winograd_s8", fields, scratch=layer.scratch, folder="dsp/")]


def _plan(graph: Graph, node: Node) -> Plan:
    plan = Plan.of(graph, node)
    assert plan is not None
    return plan


def _epilogue(layer: Layer) -> Epilogue:
    """The cheapest requantization. Where it would move sums up first, weights and biases are
    scaled instead, if they still fit."""
    form = _requant(layer, DOUBLED)
    if isinstance(form, ShortRequant) and form.lift:
        lowest, highest = reachable(layer.graph, layer.node)
        held = DOUBLED + form.lift
        largest = max(int(-lowest.min()), int(highest.max())) << held
        weight = int(np.abs(transform(layer.operands[1].value)).max()) << form.lift
        if largest <= INT32_MAX and weight <= INT16_MAX:
            form = min(form, _requant(layer, held), key=lambda found: found.cycles)
    return Epilogue(form)


def _requant(layer: Layer, register_shift: int) -> Requant:
    rounding = layer.graph.rounding
    assert rounding is not None
    return find_requant(
        layer.form,
        *reachable(layer.graph, layer.node),
        layer.result.params.zero_point,
        rounding,
        preshifted=False,
        register_shift=register_shift,
        uniform=True,
    )


WINOGRAD = Variant(
    "winograd_dsp",
    Op.CONV_2D,
    bind,
    frozenset({Feature.DSP}),
    applies,
    demand,
    frozenset({Goal.SPEED}),
)
