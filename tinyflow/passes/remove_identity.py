"""Removes layers that hand on what they are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from tinyflow.ir import NO_CLAMP, Graph, GraphEditor, Node, Op
from tinyflow.ir.ops.spatial import NO_PADDING
from tinyflow.passes.affine import affine_node
from tinyflow.passes.facts import bounds, clamp_of, find_node, same_codes


def remove_identity(graph: Graph) -> tuple[Graph, bool]:
    """Layers whose result equals their (first) operand, and a RESHAPE in front of a RESHAPE.

    The layer that computed the operand takes over the name of a removed graph output. In
    quantized graphs the operand must have the same scale and zero point.
    """
    changed = False
    for name in [node.name for node in graph.nodes]:
        node = find_node(graph, name)
        if node is None:
            continue
        simpler = _skip_reshape(graph, node) or _bypass(graph, node)
        if simpler is not None:
            graph, changed = simpler, True
    return graph, changed


def _bypass(graph: Graph, node: Node) -> Graph | None:
    operand = _handed_on(graph, node)
    if operand is None or graph.tensors[operand].shape != graph.result(node).shape:
        return None
    if not same_codes(graph, operand, node.output):
        return None
    editor = GraphEditor(graph)
    producer = graph.producer(operand)
    if producer is not None:
        sources = producer.sources + node.sources
        editor.replace_node(producer, replace(producer, sources=sources))
    editor.remove_node(node)
    if node.output not in graph.outputs:
        editor.redirect(node.output, operand)
    elif producer is not None and operand not in graph.outputs:
        editor.tensors.pop(node.output)
        editor.rename_output(operand, node.output)
    else:
        return None
    return editor.build()


def _skip_reshape(graph: Graph, node: Node) -> Graph | None:
    """Lets a RESHAPE read what the RESHAPE before it reads."""
    inner = graph.producer(node.inputs[0])
    if node.op is not Op.RESHAPE or inner is None or inner.op is not Op.RESHAPE:
        return None
    copies = graph.result(node).shape == graph.result(inner).shape
    if copies and {inner.output, node.output} <= {*graph.outputs}:
        # One output twice: whichever it is read from, both are needed.
        return None
    if not same_codes(graph, inner.inputs[0], inner.output, node.output):
        return None
    editor = GraphEditor(graph)
    sources = inner.sources + node.sources
    editor.replace_node(node, replace(node, inputs=inner.inputs, sources=sources))
    if graph.sole_consumer(inner.output) is not None:
        editor.remove_node(inner)
    return editor.build()


def _handed_on(graph: Graph, node: Node) -> str | None:
    """The operand that the node hands on, if it does."""
    rule = _RULES.get(node.op)
    if rule is not None:
        return node.inputs[0] if rule(graph, node) else None
    affine = affine_node(graph, node)
    if affine is None or not affine.clamp.is_identity or node.op is Op.BATCH_NORM:
        return None
    same = np.all(affine.map.scale == 1) and np.all(affine.map.offset == 0)
    return affine.x if same else None


def _always(graph: Graph, node: Node) -> bool:
    """Where shape and parameters stay, so do the elements."""
    return True


def _clamp(graph: Graph, node: Node) -> bool:
    """All that comes in lies within already."""
    clamp = clamp_of(node)
    lo, hi = bounds(graph, node.inputs[0])
    return clamp is not None and clamp.lo <= lo and hi <= clamp.hi


def _concat(graph: Graph, node: Node) -> bool:
    return len(node.inputs) == 1


def _transpose(graph: Graph, node: Node) -> bool:
    attrs: Any = node.attrs
    return attrs.perm == tuple(range(len(attrs.perm)))


def _pool(graph: Graph, node: Node) -> bool:
    attrs: Any = node.attrs
    window_of_one = attrs.kernel == (1, 1) and attrs.padding == NO_PADDING
    return window_of_one and attrs.clamp.is_identity


def _rounded(graph: Graph, node: Node) -> bool:
    """All that comes in is rounded so already, and has only been moved or selected since."""
    pending = [node.inputs[0]]
    while pending:
        producer = graph.producer(pending.pop())
        if producer is None:
            return False
        if producer.op in _SELECTING and (clamp_of(producer) or NO_CLAMP).is_identity:
            if getattr(producer.attrs, "value", 0.0) != 0.0:
                # The border of a PAD.
                return False
            pending += producer.inputs
        elif producer.op is not Op.FAKE_QUANT or producer.attrs != node.attrs:
            return False
    return True


_SELECTING = frozenset(
    {Op.CONCAT, Op.MAX_POOL, Op.PAD, Op.RESHAPE, Op.RESIZE_NEAREST, Op.SLICE, Op.TRANSPOSE}
)
"""Operations whose results are elements of their operands, or zero."""


# Asked only where the operand has the shape and the parameters of the result.
_RULES: dict[Op, Callable[[Graph, Node], bool]] = {
    Op.AVERAGE_POOL: _pool,
    Op.CLAMP: _clamp,
    Op.CONCAT: _concat,
    Op.FAKE_QUANT: _rounded,
    Op.MAX_POOL: _pool,
    Op.MEAN: _always,
    Op.PAD: _always,
    Op.QUANTIZE: _always,
    Op.RESHAPE: _always,
    Op.RESIZE_BILINEAR: _always,
    Op.RESIZE_NEAREST: _always,
    Op.SLICE: _always,
    Op.TRANSPOSE: _transpose,
}
