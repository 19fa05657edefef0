"""CHANNEL_GATE, four channels at a time."""

from __future__ import annotations

from tinyflow.codegen.c.layer import KernelCall, Layer
from tinyflow.codegen.c.ops.channel_gate import fields, operand_rows
from tinyflow.codegen.c.sources import Feature
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.ir import Graph, Node, Op


def applies(graph: Graph, node: Node) -> bool:
    """A pixel has a word of channels."""
    return graph.result(node).shape[-1] >= 4


def bind(layer: Layer) -> list[KernelCall]:
    return [layer.call("channel_gate_words_s8", fields(layer), operand_rows(layer), folder="dsp/")]


CHANNEL_GATE = Variant("dsp", Op.CHANNEL_GATE, bind, frozenset({Feature.DSP}), applies)
