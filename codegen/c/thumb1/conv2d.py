"""CONV_2D in one group by half-word pairs: windows are gathered, four at a time."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.codegen.c.sources import Feature, Goal
from tinyflow.codegen.c.thumb1.block import bind_quads
from tinyflow.codegen.c.thumb1.overlap import rows_overlap
from tinyflow.codegen.c.thumb1.stream import can_pair
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.codegen.schedule import Demand
from tinyflow.ir import Graph, Node, Op

_FEWEST_PIXELS = 2
"""Of four at a time: with fewer, the portable kernel is as fast."""


def applies(graph: Graph, node: Node) -> bool:
    attrs: Any = node.attrs
    _, out_h, out_w, _ = graph.result(node).shape
    kernel_w = graph.operands(node)[1].shape[2]
    if attrs.groups != 1 or (attrs.dilations[1] != 1 and kernel_w != 1):
        return False
    return out_h * out_w >= _FEWEST_PIXELS and can_pair(graph, node)


def demand(graph: Graph, node: Node) -> Demand:
    """The words of four windows, and four pixels where fewer are left. Rows are read as the
    portable kernel reads them: pixels of the next one at most earlier."""
    out_c = graph.result(node).shape[-1]
    return Demand(16 * _pairs(graph, node) + 4 * out_c, overlap=rows_overlap(graph, node))


def _pairs(graph: Graph, node: Node) -> int:
    _, kernel_h, kernel_w, in_c = graph.operands(node)[1].shape
    return int(kernel_h * -(-kernel_w * in_c // 2))


def bind(layer: Layer) -> list[KernelCall]:
    attrs, weight = layer.attrs, layer.operands[1].value
    _, in_h, in_w, in_c = layer.operands[0].shape
    _, out_h, out_w, out_c = layer.result.shape
    _, kernel_h, kernel_w, _ = weight.shape
    rows = weight.reshape(out_c, kernel_h, -1)
    fields: list[FieldLine] = [
        {"in_h": in_h, "in_row": in_w * in_c, "out_h": out_h, "out_w": out_w},
        {"kernel_h": kernel_h, "run": kernel_w * in_c},
        {"stride_h": attrs.strides[0], "step": attrs.strides[1] * in_c},
        {"dilation_h": attrs.dilations[0]},
        {"pad_top": attrs.padding[0][0], "before": attrs.padding[1][0] * in_c},
        {"in_zero": layer.operands[0].params.zero_point},
        {"quads": bind_quads(layer, rows, _pairs(layer.graph, layer.node))},
    ]
    return [layer.call("conv2d_pairs_s8", fields, scratch=layer.scratch, folder="thumb1/")]


CONV_2D = Variant(
    "windows of half-word pairs",
    Op.CONV_2D,
    bind,
    frozenset({Feature.THUMB1}),
    applies,
    demand,
    frozenset({Goal.SPEED, Goal.BALANCED}),
)
