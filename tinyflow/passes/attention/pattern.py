"""Finds ``softmax(factor * (a b)) c`` for two matrix products around a SOFTMAX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyflow.ir import Graph, GraphEditor, Node, Op, Tensor
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.transpose import TransposeAttrs
from tinyflow.passes.attention.operand import Operand, factor_of, matrices
from tinyflow.passes.facts import is_float
from tinyflow.passes.views.source import Source


@dataclass(frozen=True, eq=False)
class Weighting:
    """``left`` and ``right`` are the operands of the first product, ``values`` the second one of
    the second product, each [1, heads, rows, columns] or, for one head, [1, rows, columns].

    ``factors`` are constants that broadcast to the scores, without those of the operands.
    ``last`` is the second product, ``nodes`` all that the pattern replaces, in order.
    """

    left: Operand
    right: Operand
    values: Operand
    factors: tuple[np.ndarray, ...]
    last: Node
    nodes: tuple[Node, ...]

    @property
    def heads(self) -> int:
        shape = self.left.view.shape
        return shape[1] if len(shape) == 4 else 1


def fuse_weightings(
    graph: Graph, fuse: Callable[[Graph, Weighting], Graph | None]
) -> tuple[Graph, bool]:
    """Applies ``fuse`` to each pattern; it returns None where the pattern is not the one it
    fuses."""
    changed = False
    for softmax in [node for node in graph.nodes if node.op is Op.SOFTMAX]:
        weighting = find_weighting(graph, softmax)
        fused = fuse(graph, weighting) if weighting is not None else None
        if fused is not None:
            graph, changed = fused, True
    return graph, changed


def find_weighting(graph: Graph, softmax: Node) -> Weighting | None:
    """The pattern around a SOFTMAX whose scores and weights nothing else reads."""
    below = graph.sole_consumer(softmax.output)
    if softmax.op is not Op.SOFTMAX or below is None or below.op is not Op.MATMUL:
        return None
    attrs: Any = below.attrs
    if below.inputs[0] != softmax.output or below.inputs[1] == softmax.output or attrs.transpose_a:
        return None
    soft: Any = softmax.attrs
    factors = [np.asarray(soft.beta, dtype=np.float64)]
    between: list[Node] = []
    name = softmax.inputs[0]
    while True:
        node = graph.producer(name)
        if node is None or graph.sole_consumer(name) is None:
            return None
        if node.op is Op.MATMUL:
            break
        factor = factor_of(graph, node)
        if factor is None:
            return None
        factors.append(factor.value)
        between.append(node)
        name = factor.x
    if not all(is_float(graph, n) for n in (node, softmax, below)):
        return None
    left, right = matrices(graph, node)
    values = matrices(graph, below)[1]
    nodes = (*left.nodes, *right.nodes, node, *between[::-1], softmax, *values.nodes, below)
    return Weighting(left, right, values, tuple(factors), below, nodes)


def token_major(operand: Operand, tokens: int, channels: int) -> Source | None:
    """An operand [1, (heads,) ...] as [1, tokens, heads * channels], where that is free.

    ``tokens`` and ``channels`` are the places of these axes, 0 for the row and 1 for the column.
    """
    rank = len(operand.view.shape)
    row = rank - 2
    lead = tuple(range(1, row))
    view = operand.view.transpose((0, row + tokens, *lead, row + channels))
    shape = view.shape
    view_of_tokens = view.reshape((1, shape[1], int(np.prod(shape[2:]))))
    if view_of_tokens is None or not view_of_tokens.is_in_order:
        return None
    return Source(operand.source.name, operand.source.stored, view_of_tokens)


def reshape_to_tokens(
    editor: GraphEditor, source: Source, owner: Node, role: str, new: list[Node]
) -> str:
    """The tensor [1, tokens, channels]; a RESHAPE is added to ``new`` where one is needed."""
    shape = source.view.shape
    if source.stored == shape:
        return source.name
    old = editor.tensors[source.name]
    tensor = Tensor(f"{owner.output}/{role}", shape, old.dtype, old.quant)
    name = editor.add_tensor(tensor)
    label = editor.claim_node(f"{owner.name}/{role}")
    new.append(Node(label, Op.RESHAPE, (source.name,), (name,), ReshapeAttrs(shape), owner.sources))
    return name


def merged_sources(weighting: Weighting) -> tuple[str, ...]:
    return tuple(dict.fromkeys(s for node in weighting.nodes for s in node.sources))


def from_tokens(
    editor: GraphEditor, node: Node, last: Node, perm: tuple[int, ...], new: list[Node]
) -> None:
    """Appends ``node``, which computes [1, tokens, channels], and what makes of its result the
    one of ``last``: heads apart, then the axes (tokens, head, channel) by ``perm``."""
    graph = editor.graph
    result = graph.result(last)
    rank = len(result.shape)
    heads = result.shape[1] if rank == 4 else 1
    apart = [0] * 4
    four = result.shape if rank == 4 else (1, 1, *result.shape[1:])
    for place, axis in enumerate(perm):
        apart[axis] = four[place]
    tokens, width = apart[1], apart[3]
    y = editor.add_tensor(
        Tensor(f"{result.name}/tokens", (1, tokens, heads * width), result.dtype, result.quant)
    )
    new.append(Node(node.name, node.op, node.inputs, (y,), node.attrs, node.sources))
    steps: list[tuple[Op, Any, tuple[int, ...]]] = [
        (Op.RESHAPE, ReshapeAttrs(tuple(apart)), tuple(apart)),
        (Op.TRANSPOSE, TransposeAttrs(perm), four),
        (Op.RESHAPE, ReshapeAttrs(result.shape), result.shape),
    ]
    for index, (op, attrs, shape) in enumerate(steps):
        out = result.name
        if index < len(steps) - 1:
            out = editor.add_tensor(
                Tensor(f"{result.name}/heads", shape, result.dtype, result.quant)
            )
        label = editor.claim_node(f"{last.name}/heads")
        new.append(Node(label, op, (y,), (out,), attrs, last.sources))
        y = out


def remove_replaced(editor: GraphEditor, weighting: Weighting) -> None:
    """Drops the nodes of the pattern, but for those whose results something else reads."""
    gone = {node.name: node for node in weighting.nodes if node.name != weighting.last.name}
    for node in list(gone.values())[::-1]:
        read = {name for n in editor.nodes for name in n.inputs} | {*editor.outputs}
        if node.output not in read:
            editor.remove_node(node)
