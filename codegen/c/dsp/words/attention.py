"""ATTENTION, two products an instruction."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.c.layer import KernelCall, Layer
from tinyflow.codegen.c.ops.attention import attention_fields, overlap, sizes
from tinyflow.codegen.c.sources import Feature
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.codegen.schedule import Demand
from tinyflow.ir import Graph, Node, Op

QUERIES = 2
"""At a time."""
LEAST_DEPTH = 4
"""A head's last channels are read by the word that ends with them."""
MOST_SHIFT = 12
"""Above, the shift of some mean would be less than 33."""


def applies(graph: Graph, node: Node) -> bool:
    form: Any = node.integer
    _, _, depth, _ = sizes(graph, node)
    return depth >= LEAST_DEPTH and form.output.shift <= MOST_SHIFT - form.spare


def demand(graph: Graph, node: Node) -> Demand:
    """Of two queries four bytes a score, two a share and two a channel; all values."""
    keys, heads, depth, columns = sizes(graph, node)
    room = QUERIES * (6 * padded(keys) + 2 * heads * padded(depth))
    return Demand(room + heads * columns * padded(keys), overlap=overlap(graph, node, QUERIES))


def bind(layer: Layer) -> list[KernelCall]:
    keys, _, depth, _ = sizes(layer.graph, layer.node)
    rows = [layer.input_rows(i) for i in range(3)]
    fields = [
        *attention_fields(layer),
        {"padded_keys": padded(keys), "padded_depth": padded(depth)},
    ]
    return [layer.call("attention_dsp_s8", fields, rows, scratch=layer.scratch, folder="dsp/")]


def padded(count: int) -> int:
    """Rounded up to whole words of codes."""
    return -(-count // 4) * 4


ATTENTION = Variant("dsp", Op.ATTENTION, bind, frozenset({Feature.DSP}), applies, demand)
