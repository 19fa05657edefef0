"""Recognises the division by the Euclidean norm over one axis, however it is spelled."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from tinyflow.ir import NO_CLAMP, Graph, GraphEditor, Node, Op, Shape, Tensor
from tinyflow.ir.ops.l2_norm import L2NormAttrs
from tinyflow.ir.ops.transpose import TransposeAttrs
from tinyflow.passes.attention.operand import factor_of
from tinyflow.passes.facts import clamp_of, find_node, is_float


def fuse_l2_norm(graph: Graph) -> tuple[Graph, bool]:
    """x / max(sqrt(sum(x * x)), epsilon) over one axis -> L2_NORM, between TRANSPOSEs where the
    axis is not the last.

    The sum may be a mean times the number of elements, the square a POWER, the maximum a CLAMP;
    RESHAPEs that keep the elements in order may stand between.
    """
    changed = False
    for name in [node.name for node in graph.nodes if node.op in (Op.DIV, Op.MUL)]:
        node = find_node(graph, name)
        found = _find(graph, node) if node is not None else None
        if node is not None and found is not None:
            graph, changed = _replace(graph, node, found), True
    return graph, changed


@dataclass(frozen=True, eq=False)
class _Norm:
    x: str
    axis: int
    epsilon: float
    nodes: tuple[Node, ...]


def _find(graph: Graph, node: Node) -> _Norm | None:
    if not is_float(graph, node) or clamp_of(node) != NO_CLAMP:
        return None
    x, divisor = node.inputs
    shape = graph.tensors[x].shape
    if graph.result(node).shape != shape or graph.tensors[divisor].is_constant:
        return None
    nodes: list[Node] = []
    if node.op is Op.MUL:
        inverse = graph.producer(divisor)
        if inverse is None or inverse.op is not Op.POWER or _exponent(inverse) != -1:
            return None
        nodes.append(inverse)
        divisor = inverse.inputs[0]
    return _norm_of(graph, x, divisor, shape, nodes)


def _norm_of(graph: Graph, x: str, divisor: str, shape: Shape, nodes: list[Node]) -> _Norm | None:
    """Reads the divisor from below: the maximum, the root, the number of elements, the mean."""
    axis = _reduced_axis(shape, graph.tensors[divisor].shape)
    epsilon, count = 0.0, 1.0
    rooted = False
    name = divisor
    while True:
        node = graph.producer(name)
        if node is None or axis is None or not is_float(graph, node):
            return None
        nodes.append(node)
        clamp = clamp_of(node)
        if node.op is not Op.CLAMP and clamp is not None and clamp != NO_CLAMP:
            return None
        factor = factor_of(graph, node)
        if node.op is Op.CLAMP and clamp is not None and clamp.hi == math.inf and not rooted:
            epsilon = max(epsilon, clamp.lo)
        elif node.op is Op.POWER and _exponent(node) == 0.5 and not rooted:
            rooted = True
        elif factor is not None and factor.value.size == 1 and rooted:
            count *= float(factor.value.ravel()[0])
        elif node.op is Op.MEAN:
            break
        elif node.op is not Op.RESHAPE:
            return None
        name = node.inputs[0]
    mean: Any = node.attrs
    square = graph.producer(node.inputs[0])
    if square is None or mean.axes != (axis,) or not rooted or epsilon <= 0:
        return None
    if abs(count - shape[axis]) > 1e-6 * shape[axis] or not _is_square(graph, square, x):
        return None
    return _Norm(x, axis, epsilon, (*nodes, square))


def _reduced_axis(shape: Shape, divisor: Shape) -> int | None:
    """The one axis over which a divisor of that shape broadcasts."""
    full = (1,) * (len(shape) - len(divisor)) + divisor
    axes = [axis for axis, d in enumerate(full) if d != shape[axis]]
    return axes[0] if len(axes) == 1 and full[axes[0]] == 1 else None


def _is_square(graph: Graph, node: Node, x: str) -> bool:
    if not is_float(graph, node) or clamp_of(node) not in (None, NO_CLAMP):
        return False
    if node.op is Op.MUL:
        return node.inputs == (x, x)
    return node.op is Op.POWER and _exponent(node) == 2 and node.inputs == (x,)


def _exponent(node: Node) -> float:
    attrs: Any = node.attrs
    return float(attrs.exponent)


def _replace(graph: Graph, node: Node, norm: _Norm) -> Graph:
    editor = GraphEditor(graph)
    x = graph.tensors[norm.x]
    rank = len(x.shape)
    names = tuple(dict.fromkeys(s for n in (*norm.nodes[::-1], node) for s in n.sources))
    fused = replace(
        node, op=Op.L2_NORM, inputs=(norm.x,), attrs=L2NormAttrs(norm.epsilon), sources=names
    )
    if norm.axis == rank - 1:
        editor.replace_node(node, fused)
        return editor.build()
    perm = (*(a for a in range(rank) if a != norm.axis), norm.axis)
    back = tuple(perm.index(a) for a in range(rank))
    shape = tuple(x.shape[a] for a in perm)
    moved = editor.add_tensor(Tensor(f"{x.name}/moved", shape, x.dtype))
    result = editor.add_tensor(Tensor(f"{node.output}/moved", shape, x.dtype))
    to_last = editor.claim_node(f"{node.name}/moved")
    from_last = editor.claim_node(f"{node.name}/restored")
    editor.replace_node(
        node,
        Node(to_last, Op.TRANSPOSE, (x.name,), (moved,), TransposeAttrs(perm), node.sources),
        replace(fused, inputs=(moved,), outputs=(result,)),
        Node(from_last, Op.TRANSPOSE, (result,), node.outputs, TransposeAttrs(back), node.sources),
    )
    return editor.build()
