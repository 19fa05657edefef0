"""ATTENTION."""

from __future__ import annotations

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.codegen.c.literals import Struct, UInt32
from tinyflow.codegen.c.ops.add import factor
from tinyflow.codegen.schedule import Overlap, rising_by_chunks
from tinyflow.ir import Graph, Node, as_nhwc
from tinyflow.ir.integer import Decay
from tinyflow.ir.ops.attention import AttentionAttrs
from tinyflow.ir.ops.tokens import token_shape


def bind(layer: Layer) -> list[KernelCall]:
    rows = [layer.input_rows(i) for i in range(3)]
    return [layer.call("attention_s8", attention_fields(layer), rows, scratch=layer.scratch)]


def attention_fields(layer: Layer) -> list[FieldLine]:
    """What both kernels know of the layer."""
    q, _, v = layer.operands
    _, height, width, _ = as_nhwc(q.shape)
    keys, heads, depth, columns = sizes(layer.graph, layer.node)
    return [
        {"height": height, "width": width},
        {"keys": keys, "heads": heads, "depth": depth, "columns": columns},
        {"q_zero": q.params.zero_point, "v_zero": v.params.zero_point},
        {"out_zero": layer.result.params.zero_point},
        factor("out", layer.form.output),
        {"spare": layer.form.spare, "decay": decay_fields(layer.form.decay)},
    ]


def decay_fields(decay: Decay) -> Struct:
    """A tinyflow_decay."""
    return Struct(multiplier=UInt32(decay.multiplier), limit=UInt32(decay.limit), left=decay.left)


def sizes(graph: Graph, node: Node) -> tuple[int, int, int, int]:
    """(keys, heads, channels of a head in queries and keys, in values)."""
    attrs = node.attrs
    assert isinstance(attrs, AttentionAttrs)
    _, k, v = graph.operands(node)
    keys, channels = token_shape(k.shape, "keys")
    return keys, attrs.heads, channels // attrs.heads, v.shape[-1] // attrs.heads


def scratch_bytes(graph: Graph, node: Node) -> int:
    """A score for each key, and the channels of a query in 16 bits."""
    keys, heads, depth, _ = sizes(graph, node)
    return 4 * keys + 2 * heads * depth


def overlap(graph: Graph, node: Node, queries: int = 1) -> Overlap:
    """So many queries are read at a time before their results are written."""
    q, result = graph.operands(node)[0], graph.result(node)
    tokens, channels = token_shape(q.shape, "queries")
    return Overlap(rising_by_chunks(tokens, queries, channels, result.shape[-1]))
