"""CONV_2D in one group along an image of one row, as of sounds and sensors: piece by piece."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinyflow.codegen.c.dsp.products import (
    MOST_RUNS,
    ProductShape,
    bind_products,
    can_multiply,
    can_pair_pixels,
    must_carry,
)
from tinyflow.codegen.c.dsp.widen import widen
from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.codegen.c.sources import Feature
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.codegen.schedule import Demand, Overlap, rising_distance
from tinyflow.ir import Graph, Node, Op

_PIECE_VALUES = 1024
"""Activations that are widened at a time, where two windows are not more."""


@dataclass(frozen=True)
class _Plan:
    """Counts are values, but ``out_w`` and ``piece`` pixels. See the kernel's structure."""

    shape: ProductShape
    out_w: int
    piece: int
    run: int
    before: int
    inside: int
    permuted: bool

    @classmethod
    def of(cls, graph: Graph, node: Node) -> _Plan:
        attrs: Any = node.attrs
        x, weight = graph.operands(node)[:2]
        _, _, out_w, out_c = graph.result(node).shape
        _, _, kernel_w, in_c = weight.shape
        step, run = attrs.strides[1] * in_c, kernel_w * in_c
        piece = max((_PIECE_VALUES - run) // step + 1, 2) // 2 * 2
        return cls(
            shape=ProductShape.of(1, run, step, out_c, must_carry(graph, node)),
            out_w=out_w,
            piece=min(piece, out_w),
            run=run,
            before=attrs.padding[1][0] * in_c,
            inside=x.shape[2] * in_c,
            permuted=in_c % 4 == 0,
        )

    @property
    def scratch_bytes(self) -> int:
        """One value more for the alignment of the image."""
        return 2 * ((self.piece - 1) * self.shape.pixel_step + self.shape.row + 1)


def applies(graph: Graph, node: Node) -> bool:
    attrs: Any = node.attrs
    x, weight = graph.operands(node)[:2]
    if x.shape[1] != 1 or weight.shape[1] != 1 or graph.result(node).shape[1] != 1:
        return False
    if attrs.padding[0] != (0, 0) or attrs.groups != 1:
        return False
    if attrs.dilations[1] != 1 and weight.shape[2] != 1:
        return False
    return can_multiply(graph, node) and _Plan.of(graph, node).shape.runs <= MOST_RUNS


def demand(graph: Graph, node: Node) -> Demand:
    """A piece's windows are widened before its first pixel is written; the next piece may read
    some of them again."""
    plan = _Plan.of(graph, node)
    reads, writes = [], []
    for x in range(0, plan.out_w, plan.piece):
        last = min(x + plan.piece, plan.out_w)
        begin = x * plan.shape.pixel_step
        end = (last - 1) * plan.shape.pixel_step + plan.run
        inside = [min(max(at - plan.before, 0), plan.inside) for at in (begin, end)]
        reads.append((inside[0], inside[1]))
        writes.append((x * plan.shape.out_c, last * plan.shape.out_c))
    rising = rising_distance(reads, writes, plan.inside, read_first=True)
    return Demand(plan.scratch_bytes, overlap=Overlap(rising))


def bind(layer: Layer) -> list[KernelCall]:
    plan = _Plan.of(layer.graph, layer.node)
    weight = layer.operands[1].value
    pairs = plan.out_w > 1 and can_pair_pixels(plan.shape)
    fields: list[FieldLine] = [
        {"out_w": plan.out_w, "piece": plan.piece, "run": plan.run},
        {"before": plan.before, "inside": plan.inside},
        {"in_zero": layer.operands[0].params.zero_point},
        {"widen": layer.block(widen(plan.permuted))},
        {
            "blocks": bind_products(
                layer,
                weight.reshape(len(weight), 1, -1),
                plan.shape,
                plan.permuted,
                pairs=pairs,
                single=not pairs or plan.out_w % 2 == 1,
            )
        },
    ]
    return [layer.call("conv2d_line_s8", fields, scratch=layer.scratch, folder="dsp/")]


LINE = Variant(
    "line of paired products", Op.CONV_2D, bind, frozenset({Feature.DSP}), applies, demand
)
