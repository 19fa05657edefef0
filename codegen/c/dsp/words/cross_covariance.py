"""CROSS_COVARIANCE, two products an instruction."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.c.dsp.words.attention import LEAST_DEPTH, MOST_SHIFT, padded
from tinyflow.codegen.c.layer import KernelCall, Layer
from tinyflow.codegen.c.ops.cross_covariance import (
    cross_covariance_fields,
    queries_lie_apart,
    sizes,
)
from tinyflow.codegen.c.sources import Feature
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.codegen.schedule import Demand
from tinyflow.ir import Graph, Node, Op

MOST_WIDENED = 64
"""Tokens at a time: more would save little of what goes between the inner loops."""
_BYTES_OF_A_CHANNEL = 32
"""Two squares, what makes codes of a row's sums, the norm of a key."""


def applies(graph: Graph, node: Node) -> bool:
    form: Any = node.integer
    _, _, depth = sizes(graph, node)
    return depth >= LEAST_DEPTH and form.output.shift <= MOST_SHIFT - form.spare


def demand(graph: Graph, node: Node) -> Demand:
    """The scores of a head; then its shares in 16 bits, or tokens of its queries and keys."""
    _, _, depth = sizes(graph, node)
    rows = -(-depth // 2) * 2
    wide = 2 * rows * max(padded(depth), 2 * _widened(graph, node))
    return Demand(
        4 * rows * padded(depth) + _BYTES_OF_A_CHANNEL * depth + wide,
        overwrites=queries_lie_apart(graph, node),
    )


def bind(layer: Layer) -> list[KernelCall]:
    _, _, depth = sizes(layer.graph, layer.node)
    rows = [layer.input_rows(i) for i in range(3)]
    fields = [
        *cross_covariance_fields(layer),
        {"padded_depth": padded(depth), "chunk": _widened(layer.graph, layer.node)},
    ]
    kernel = "cross_covariance_dsp_s8"
    return [layer.call(kernel, fields, rows, scratch=layer.scratch, folder="dsp/")]


def _widened(graph: Graph, node: Node) -> int:
    """Tokens of a chunk, an even number."""
    tokens, _, _ = sizes(graph, node)
    return min(-(-tokens // 2) * 2, MOST_WIDENED)


CROSS_COVARIANCE = Variant(
    "dsp", Op.CROSS_COVARIANCE, bind, frozenset({Feature.DSP}), applies, demand
)
