"""Results that are a piece of their operand's memory, and operands that are a piece of their
result's, so that nothing has to move."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

from tinyflow.ir import Graph, Node, Op

WORD = 4
"""Bytes. Kernels read operands by words where rows and pixels are whole words: a piece that did
not begin with a word would take that from them."""


def find_view(graph: Graph, node: Node) -> int | None:
    """The byte of the first operand's memory at which the result lies; None where it has to be
    computed or copied. The operand must not be a constant."""
    rule = _VIEWS.get(node.op)
    return None if rule is None else rule(graph, node)


def find_pieces(graph: Graph, node: Node) -> list[int | None]:
    """For each operand, the byte of the result's memory at which it may have been computed; None
    where it has to be moved there."""
    if node.op is not Op.CONCAT:
        return [None] * len(node.inputs)
    attrs: Any = node.attrs
    joins_whole = all(size == 1 for size in graph.result(node).shape[: attrs.axis])
    found: list[int | None] = []
    begin = 0
    for operand in graph.operands(node):
        found.append(begin if joins_whole and begin % WORD == 0 else None)
        begin += operand.nbytes
    return found


def _reshape(graph: Graph, node: Node) -> int:
    return 0


def _slice(graph: Graph, node: Node) -> int | None:
    """A slice is one piece where each axis before the first that it takes several elements of
    gives it one, and each axis behind that is taken whole."""
    attrs: Any = node.attrs
    x, taken = graph.operands(node)[0], graph.result(node).shape
    split = next((i for i, size in enumerate(taken) if size > 1), len(taken))
    if taken[split + 1 :] != x.shape[split + 1 :]:
        return None
    if split < len(taken) and attrs.strides[split] != 1:
        return None
    steps = [prod(x.shape[i + 1 :]) for i in range(len(x.shape))]
    begin = sum(b * step for b, step in zip(attrs.begin, steps, strict=True)) * x.dtype.itemsize
    return begin if begin % WORD == 0 else None


_VIEWS: Mapping[Op, Callable[[Graph, Node], int | None]] = {
    Op.RESHAPE: _reshape,
    Op.SLICE: _slice,
}
