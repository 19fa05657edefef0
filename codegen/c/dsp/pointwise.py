"""CONV_2D of single pixels and FULLY_CONNECTED: every pixel by one matrix."""

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
from tinyflow.codegen.c.ops.conv2d import is_pointwise
from tinyflow.codegen.c.ops.rows import find_overlap
from tinyflow.codegen.c.sources import Feature
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.codegen.schedule import Axis, Demand, Overlap, rising_by_chunks
from tinyflow.ir import Graph, Node, Op, as_nhwc

_CHUNK_VALUES = 512
"""Activations that are widened at a time, where a pixel does not have more."""


@dataclass(frozen=True)
class _Plan:
    shape: ProductShape
    in_c: int
    pixels: int

    @classmethod
    def of(cls, graph: Graph, node: Node) -> _Plan:
        _, height, width, out_c = as_nhwc(graph.result(node).shape)
        in_c = graph.operands(node)[0].shape[-1]
        shape = ProductShape.of(1, in_c, in_c, out_c, must_carry(graph, node))
        return cls(shape, in_c, height * width)

    @property
    def permuted(self) -> bool:
        return self.in_c % 4 == 0

    @property
    def chunk(self) -> int:
        return min(self.pixels, max(_CHUNK_VALUES // self.in_c // 2 * 2, 2))

    @property
    def scratch_bytes(self) -> int:
        """The last pixel's run may end a few values further."""
        return 2 * ((self.chunk - 1) * self.in_c + self.shape.row)


def applies(graph: Graph, node: Node) -> bool:
    attrs: Any = node.attrs
    if node.op is Op.CONV_2D and (attrs.groups != 1 or not is_pointwise(graph, node)):
        return False
    return can_multiply(graph, node) and _Plan.of(graph, node).shape.runs <= MOST_RUNS


def demand(graph: Graph, node: Node) -> Demand:
    """A chunk's pixels are widened before the first of them is written, or, with falling rows, a
    row's before another row is."""
    plan = _Plan.of(graph, node)
    rising = rising_by_chunks(plan.pixels, plan.chunk, plan.in_c, plan.shape.out_c)
    rows = find_overlap(graph, node)
    return Demand(plan.scratch_bytes, overlap=Overlap(rising, rows.falling if rows else None))


def bind(layer: Layer) -> list[KernelCall]:
    plan = _Plan.of(layer.graph, layer.node)
    _, height, width, _ = as_nhwc(layer.result.shape)
    weight = layer.operands[1].value
    whole = layer.step.axis is Axis.WHOLE or layer.step.tile >= height
    pairs = plan.pixels > 1 and can_pair_pixels(plan.shape)
    # Bands and rings end at rows; of all pixels at once only the last can be without a partner.
    single = not pairs or (width % 2 == 1 and (plan.pixels % 2 == 1 or not whole))
    fields: list[FieldLine] = [
        {"height": height, "width": width},
        {"in_c": plan.in_c, "out_c": plan.shape.out_c},
        {"chunk": plan.chunk},
        {"widen": layer.block(widen(plan.permuted))},
        {
            "blocks": bind_products(
                layer,
                weight.reshape(len(weight), 1, -1),
                plan.shape,
                plan.permuted,
                pairs=pairs,
                single=single,
            )
        },
    ]
    return [layer.call("pointwise_s8", fields, scratch=layer.scratch, folder="dsp/")]


VARIANTS = tuple(
    Variant("paired products", op, bind, frozenset({Feature.DSP}), applies, demand)
    for op in (Op.CONV_2D, Op.FULLY_CONNECTED)
)
