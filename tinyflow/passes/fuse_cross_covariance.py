"""Recognises cross-covariance attention, in which channels attend to one another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinyflow.ir import Graph, GraphEditor, Node, Op
from tinyflow.ir.ops.cross_covariance import CrossCovarianceAttrs
from tinyflow.passes.attention.operand import Operand, operand_of
from tinyflow.passes.attention.pattern import (
    Weighting,
    from_tokens,
    fuse_weightings,
    merged_sources,
    remove_replaced,
    reshape_to_tokens,
    token_major,
)
from tinyflow.passes.facts import is_float


def fuse_cross_covariance(graph: Graph) -> tuple[Graph, bool]:
    """L2_NORM of both operands along the tokens, MATMUL, a factor for each head, SOFTMAX, MATMUL
    -> CROSS_COVARIANCE, where queries, keys and values have their heads side by side in the
    channels of token-major tensors."""
    return fuse_weightings(graph, _fuse)


def _fuse(graph: Graph, weighting: Weighting) -> Graph | None:
    left = _normalized(graph, weighting.left)
    right = _normalized(graph, weighting.right.swapped())
    temperature = _temperature(weighting)
    if left is None or right is None or temperature is None or left.epsilon != right.epsilon:
        return None
    if weighting.values.factor != 1.0:
        return None
    operands = (left.operand, right.operand, weighting.values)
    sources = [token_major(x, 1, 0) for x in operands]
    editor = GraphEditor(graph)
    weighting = replace(weighting, nodes=(left.norm, right.norm, *weighting.nodes))
    last = weighting.last
    new: list[Node] = []
    inputs = []
    for source, role in zip(sources, ("queries", "keys", "values"), strict=True):
        if source is None:
            return None
        inputs.append(reshape_to_tokens(editor, source, last, role, new))
    dtype = graph.result(last).dtype.numpy
    inputs.append(editor.add_constant(f"{last.name}/temperature", temperature.astype(dtype)))
    attrs = CrossCovarianceAttrs(weighting.heads, left.epsilon)
    names = merged_sources(weighting)
    node = Node(last.name, Op.CROSS_COVARIANCE, tuple(inputs), (), attrs, names)
    from_tokens(editor, node, last, (0, 2, 3, 1), new)
    editor.replace_node(last, *new)
    remove_replaced(editor, weighting)
    return editor.build()


@dataclass(frozen=True, eq=False)
class _Normalized:
    """The operand [1, (heads,) channels, tokens] of an L2_NORM along the tokens."""

    operand: Operand
    epsilon: float
    norm: Node


def _normalized(graph: Graph, operand: Operand) -> _Normalized | None:
    norm = graph.producer(operand.source.name)
    if norm is None or norm.op is not Op.L2_NORM or not operand.view.is_in_order:
        return None
    if operand.view.shape[-1] != operand.source.stored[-1] or not is_float(graph, norm):
        return None
    above = operand_of(graph, norm.inputs[0])
    view = above.view.then(operand.view)
    # A factor in front of the norm would only matter where the norm is less than epsilon.
    if view is None or above.factor != 1.0:
        return None
    attrs: Any = norm.attrs
    return _Normalized(Operand(replace(above.source, view=view)), attrs.epsilon, norm)


def _temperature(weighting: Weighting) -> np.ndarray | None:
    """The factor of each head, float64 [heads]; None where factors differ within one."""
    heads = np.full(weighting.heads, weighting.left.factor * weighting.right.factor)
    for factor in weighting.factors:
        shape = (1,) * (4 - factor.ndim) + factor.shape
        if factor.size != 1 and (shape[2:] != (1, 1) or shape[1] != weighting.heads):
            return None
        heads = heads * factor.ravel()
    return heads
