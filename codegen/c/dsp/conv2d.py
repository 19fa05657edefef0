"""CONV_2D by a ring of widened rows.

Where there are several groups of channels, each has a plane of its own in the ring, as if it were
a layer that writes only some of the result's channels. The blocks read a pixel's window from a
plane as one run per row of the kernel, or, where the runs are short and many output channels read
them, from one run that was gathered before.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tinyflow.codegen.c.dsp.gather import gather, gather_cycles
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
from tinyflow.codegen.c.ops.rows import find_overlap
from tinyflow.codegen.c.sources import Feature
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.codegen.schedule import Demand, Overlap, rising_distance
from tinyflow.ir import Graph, Node, Op

_MOST_GATHERED = 96
"""Values of a window: the block that gathers it has no loop."""

_CHUNK_VALUES = 512
"""Values that are gathered at a time, where two windows are not more."""

_MOST_WIDENED = Fraction(1, 48)
"""Of a layer's time may go into widening rows once more, for rows that fall."""


@dataclass(frozen=True)
class _Plan:
    """A row of the ring, for each of ``groups``: ``first`` values for alignment, ``before`` of
    padding, ``inside`` of the image, and padding up to ``plane``. All counts are values.

    ``window`` is how the ring is read, (runs, values of each, values from pixel to pixel);
    ``chunk`` is the number of pixels gathered at a time, 0 where the blocks read the ring.
    """

    groups: int
    shape: ProductShape
    window: tuple[int, int, int]
    chunk: int
    permuted: bool
    first: int
    before: int
    inside: int
    plane: int
    ring: int

    @classmethod
    def of(cls, graph: Graph, node: Node) -> _Plan:
        attrs: Any = node.attrs
        x, weight = graph.operands(node)[:2]
        _, _, out_w, all_c = graph.result(node).shape
        _, kernel_h, kernel_w, in_c = weight.shape
        out_c = all_c // attrs.groups
        step, run = attrs.strides[1] * in_c, kernel_w * in_c
        reach = (out_w - 1) * step + run
        carries = must_carry(graph, node)
        shape = ProductShape.of(kernel_h, run, step, out_c, carries, all_c - out_c)
        gathered = _gathered(shape, run)
        chunk = 0
        if gathered is not None:
            shape = gathered
            chunk = min(out_w, max(_CHUNK_VALUES // shape.pixel_step // 2 * 2, 2))
        permuted = in_c % 4 == 0
        before = min(attrs.padding[1][0] * in_c, reach)
        inside = min(x.shape[2] * in_c, reach - before)
        # The image begins at a word, so that it can be widened in words.
        first = before % 2
        return cls(
            groups=attrs.groups,
            shape=shape,
            window=(kernel_h, run, step),
            chunk=chunk,
            permuted=permuted,
            first=first,
            before=before,
            inside=inside,
            plane=-(-(first + reach + shape.row - run) // 2) * 2,
            ring=(kernel_h - 1) * attrs.dilations[0] + 1,
        )

    @property
    def scratch_bytes(self) -> int:
        ring = self.ring * self.groups * self.plane
        return 2 * (ring + self.chunk * self.shape.pixel_step)


def _gathered(shape: ProductShape, run: int) -> ProductShape | None:
    """The shape of the blocks if each window is gathered first, where that is faster."""
    values = shape.runs * run
    if shape.runs == 1 or shape.carries or values > _MOST_GATHERED:
        return None
    even = values + values % 2
    gathered = ProductShape(1, even // 2, even, shape.out_c, skipped=shape.skipped)
    gathering = 2 * gather_cycles(shape.runs, run, shape.pixel_step)
    return gathered if gathered.pair_cycles + gathering < shape.pair_cycles else None


def _in_one_group(graph: Graph, node: Node) -> bool:
    attrs: Any = node.attrs
    return attrs.groups == 1 and _applies(graph, node)


def _in_groups(graph: Graph, node: Node) -> bool:
    """Channels in twos: a pixel's are widened to a whole number of words."""
    attrs: Any = node.attrs
    even = graph.operands(node)[1].shape[3] % 2 == 0
    return attrs.groups > 1 and even and _applies(graph, node)


def _applies(graph: Graph, node: Node) -> bool:
    attrs: Any = node.attrs
    kernel_w = graph.operands(node)[1].shape[2]
    if attrs.dilations[1] != 1 and kernel_w != 1:
        return False
    return can_multiply(graph, node) and _Plan.of(graph, node).shape.runs <= MOST_RUNS


def demand(graph: Graph, node: Node) -> Demand:
    """An output row is written when the rows of its windows are in the ring."""
    attrs: Any = node.attrs
    _, in_h, in_w, in_c = graph.operands(node)[0].shape
    _, out_h, out_w, out_c = graph.result(node).shape
    reach = (graph.operands(node)[1].shape[1] - 1) * attrs.dilations[0] + 1
    in_row, out_row = in_w * in_c, out_w * out_c
    reads, writes, widened = [], [], -attrs.padding[0][0]
    for y in range(out_h):
        top = y * attrs.strides[0] - attrs.padding[0][0]
        begin, end = (min(max(row, 0), in_h) for row in (max(widened, top), top + reach))
        reads.append((begin * in_row, end * in_row))
        writes.append((y * out_row, (y + 1) * out_row))
        widened = max(widened, top + reach)
    rising = rising_distance(reads, writes, in_h * in_row, read_first=True)
    rows = find_overlap(graph, node) if _can_fall(graph, node) else None
    overlap = Overlap(rising, rows.falling if rows else None)
    return Demand(_Plan.of(graph, node).scratch_bytes, overlap=overlap)


def _can_fall(graph: Graph, node: Node) -> bool:
    """Whether rows that are computed one by one, each filling the ring anew, cost little more."""
    attrs: Any = node.attrs
    out_c, kernel_h, kernel_w, _ = graph.operands(node)[1].shape
    kept = max(kernel_h - attrs.strides[0], 0)
    # A value is widened in the time of about two products.
    products = kernel_h * kernel_w * out_c // attrs.groups
    return Fraction(2 * kept, products) <= _MOST_WIDENED


def bind(layer: Layer) -> list[KernelCall]:
    attrs, plan = layer.attrs, _Plan.of(layer.graph, layer.node)
    _, in_h, _, in_c = layer.operands[0].shape
    _, out_h, out_w, out_c = layer.result.shape
    weight = layer.operands[1].value
    piece = plan.inside if plan.groups == 1 else weight.shape[3]
    pairs = out_w > 1 and can_pair_pixels(plan.shape)
    fields: list[FieldLine] = [
        {"in_h": in_h, "out_h": out_h, "out_w": out_w},
        {
            "kernel_h": weight.shape[1],
            "stride_h": attrs.strides[0],
            "dilation_h": attrs.dilations[0],
            "pad_top": attrs.padding[0][0],
        },
        {"in_zero": layer.operands[0].params.zero_point},
        {"groups": plan.groups, "group_c": plan.shape.out_c},
        {"piece": piece, "pieces": plan.inside // max(piece, 1), "distance": in_c},
        {"first": plan.first, "before": plan.before, "inside": plan.inside},
        {"plane": plan.plane, "ring": plan.ring, "chunk": plan.chunk},
        {"widen": layer.block(widen(plan.permuted))},
        {"gather": layer.block(gather(*plan.window)) if plan.chunk else "NULL"},
        {
            "blocks": bind_products(
                layer,
                weight.reshape(out_c, plan.shape.runs // plan.shape.parts, -1),
                plan.shape,
                plan.permuted,
                pairs=pairs,
                single=not pairs or out_w % 2 == 1,
                groups=plan.groups,
            )
        },
    ]
    return [layer.call("conv2d_ring_s8", fields, scratch=layer.scratch, folder="dsp/")]


RING = Variant(
    "ring of paired products", Op.CONV_2D, bind, frozenset({Feature.DSP}), _in_one_group, demand
)
GROUPED_RING = Variant(
    "ring of paired products by groups",
    Op.CONV_2D,
    bind,
    frozenset({Feature.DSP}),
    _in_groups,
    demand,
)
