"""CONV_2D of single pixels and FULLY_CONNECTED by half-word pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.codegen.c.ops.conv2d import is_pointwise
from tinyflow.codegen.c.sources import Feature, Goal
from tinyflow.codegen.c.thumb1.block import PairShape, bind_quads, channels_block
from tinyflow.codegen.c.thumb1.overlap import rows_overlap
from tinyflow.codegen.c.thumb1.stream import (
    REQUANT_WORDS,
    can_pair,
    pack_channels,
)
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.codegen.schedule import Demand, Overlap, rising_by_chunks
from tinyflow.ir import Graph, Node, Op, as_nhwc

_FEWEST_PIXELS = 3
"""Of four pixels at a time; fewer are computed one by one, four channels at a time."""


@dataclass(frozen=True)
class _Plan:
    in_c: int
    out_c: int
    pixels: int

    @classmethod
    def of(cls, graph: Graph, node: Node) -> _Plan:
        _, height, width, out_c = as_nhwc(graph.result(node).shape)
        return cls(graph.operands(node)[0].shape[-1], out_c, height * width)

    @property
    def pairs(self) -> int:
        return -(-self.in_c // 2)

    @property
    def at_a_time(self) -> int:
        """Pixels that are read before the first of them is written."""
        return 4 if self.pixels >= _FEWEST_PIXELS else 1

    @property
    def scratch_bytes(self) -> int:
        """The words of the pixels, and codes that are too many for the result."""
        if self.at_a_time == 4:
            return 16 * self.pairs + 4 * self.out_c
        return 4 * self.pairs + 4 * -(-self.out_c // 4)


def applies(graph: Graph, node: Node) -> bool:
    attrs: Any = node.attrs
    if node.op is Op.CONV_2D and (attrs.groups != 1 or not is_pointwise(graph, node)):
        return False
    return can_pair(graph, node)


def demand(graph: Graph, node: Node) -> Demand:
    plan = _Plan.of(graph, node)
    rising = rising_by_chunks(plan.pixels, plan.at_a_time, plan.in_c, plan.out_c)
    rows = rows_overlap(graph, node)
    return Demand(plan.scratch_bytes, overlap=Overlap(rising, rows.falling if rows else None))


def bind(layer: Layer) -> list[KernelCall]:
    plan = _Plan.of(layer.graph, layer.node)
    _, height, width, _ = as_nhwc(layer.result.shape)
    weight = layer.operands[1].value
    rows = weight.reshape(len(weight), 1, -1)
    size: FieldLine = {"height": height, "width": width}
    if plan.at_a_time == 4:
        fields = [size, {"in_c": plan.in_c}, {"quads": bind_quads(layer, rows, plan.pairs)}]
        return [layer.call("pixel_pairs_s8", fields, scratch=layer.scratch, folder="thumb1/")]
    shape, stream = PairShape.of(layer, plan.pairs), pack_channels(layer, rows)
    fields = [
        size,
        {"in_c": plan.in_c, "out_c": plan.out_c, "pairs": plan.pairs},
        {"block": layer.block(channels_block(shape))},
        {"weights": layer.packed_weight("weights", stream, 4 * (1 + REQUANT_WORDS))},
    ]
    return [layer.call("channel_pairs_s8", fields, scratch=layer.scratch, folder="thumb1/")]


VARIANTS = tuple(
    Variant(
        "half-word pairs",
        op,
        bind,
        frozenset({Feature.THUMB1}),
        applies,
        demand,
        frozenset({Goal.SPEED, Goal.BALANCED}),
    )
    for op in (Op.CONV_2D, Op.FULLY_CONNECTED)
)
