"""Recognises attention between tokens, whose scores are then never stored as a whole."""

from __future__ import annotations

import math

from tinyflow.ir import Graph, GraphEditor, Node, Op
from tinyflow.ir.ops.attention import AttentionAttrs
from tinyflow.passes.attention.pattern import (
    Weighting,
    from_tokens,
    fuse_weightings,
    merged_sources,
    remove_replaced,
    reshape_to_tokens,
    token_major,
)


def fuse_attention(graph: Graph) -> tuple[Graph, bool]:
    """MATMUL, SOFTMAX, MATMUL -> ATTENTION where queries, keys and values have their heads side
    by side in the channels of a token-major tensor.

    Factors that are one number, in front of the first product or behind it, become the scale.
    Where an operand would have to be moved the products stay as they are.
    """
    return fuse_weightings(graph, _fuse)


def _fuse(graph: Graph, weighting: Weighting) -> Graph | None:
    if any(factor.size != 1 for factor in weighting.factors):
        return None
    queries = token_major(weighting.left, 0, 1)
    keys = token_major(weighting.right, 1, 0)
    values = token_major(weighting.values, 0, 1)
    if queries is None or keys is None or values is None or weighting.values.factor != 1.0:
        return None
    scale = math.prod(float(factor.ravel()[0]) for factor in weighting.factors)
    scale *= weighting.left.factor * weighting.right.factor
    editor = GraphEditor(graph)
    last = weighting.last
    new: list[Node] = []
    operands = zip((queries, keys, values), ("queries", "keys", "values"), strict=True)
    inputs = tuple(reshape_to_tokens(editor, s, last, role, new) for s, role in operands)
    attrs = AttentionAttrs(weighting.heads, scale)
    node = Node(last.name, Op.ATTENTION, inputs, (), attrs, merged_sources(weighting))
    from_tokens(editor, node, last, (0, 2, 1, 3), new)
    editor.replace_node(last, *new)
    remove_replaced(editor, weighting)
    return editor.build()
