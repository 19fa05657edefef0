"""Recognises LayerNorm where an exporter wrote it in smaller steps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from tinyflow.ir import Graph, GraphEditor, Node, Op, Tensor
from tinyflow.ir.ops.layer_norm import LayerNormAttrs
from tinyflow.ir.ops.power import PowerAttrs
from tinyflow.ir.ops.transpose import TransposeAttrs
from tinyflow.passes.facts import clamp_of, is_float, sources_between
from tinyflow.passes.remove_dead import remove_dead


class _Centred(NamedTuple):
    """A tensor less its mean along one axis."""

    x: str
    axis: int


class _Norm(NamedTuple):
    centred: _Centred
    epsilon: float


def fuse_layer_norm(graph: Graph) -> tuple[Graph, bool]:
    """``(x - mean) / sqrt(variance + epsilon)`` along one axis -> LAYER_NORM.

    The division may be a product with a power of -1/2, or with an inverse. Along an axis other
    than the last, TRANSPOSE nodes stand around it. Factors and offsets stay what they are: they
    fold into the LAYER_NORM afterwards.
    """
    changed = False
    for node in [node for node in graph.nodes if node.op in (Op.DIV, Op.MUL)]:
        norm = _normalized(graph, node) if is_float(graph, node) and _is_plain(node) else None
        if norm is not None:
            graph, changed = _fuse(graph, node, norm), True
    return remove_dead(graph) if changed else (graph, False)


def _normalized(graph: Graph, node: Node) -> _Norm | None:
    pairs = [node.inputs] if node.op is Op.DIV else [node.inputs, node.inputs[::-1]]
    for value, factor in pairs:
        centred = _centred(graph, value)
        if centred is None:
            continue
        deviation = _deviation(graph, factor, inverse=node.op is Op.MUL)
        if deviation is not None and deviation.centred == centred:
            return deviation
    return None


def _centred(graph: Graph, name: str) -> _Centred | None:
    """x - mean(x)."""
    node = graph.producer(name)
    if node is None or node.op is not Op.SUB or not _is_plain(node):
        return None
    mean = graph.producer(node.inputs[1])
    axis = _mean_axis(graph, mean)
    if mean is None or axis is None or mean.inputs[0] != node.inputs[0]:
        return None
    return _Centred(node.inputs[0], axis)


def _deviation(graph: Graph, name: str, inverse: bool) -> _Norm | None:
    """The square root of variance + epsilon, or one over it."""
    node = graph.producer(name)
    if node is None:
        return None
    if node.op is Op.DIV and inverse and _is_plain(node) and _scalar(graph, node.inputs[0]) == 1:
        return _deviation(graph, node.inputs[1], inverse=False)
    if not isinstance(node.attrs, PowerAttrs):
        return None
    if node.attrs.exponent == -1 and inverse:
        return _deviation(graph, node.inputs[0], inverse=False)
    if node.attrs.exponent != (-0.5 if inverse else 0.5):
        return None
    return _variance(graph, node.inputs[0])


def _variance(graph: Graph, name: str) -> _Norm | None:
    """mean(centred ** 2) + epsilon."""
    node = graph.producer(name)
    if node is None or node.op is not Op.ADD or not _is_plain(node):
        return None
    for value, constant in (node.inputs, node.inputs[::-1]):
        epsilon = _scalar(graph, constant)
        mean = graph.producer(value)
        axis = _mean_axis(graph, mean)
        if epsilon is None or epsilon < 0 or mean is None or axis is None:
            continue
        centred = _squared(graph, mean.inputs[0])
        if centred is not None and centred.axis == axis:
            return _Norm(centred, epsilon)
    return None


def _squared(graph: Graph, name: str) -> _Centred | None:
    """What a tensor is the square of."""
    node = graph.producer(name)
    if node is None:
        return None
    if isinstance(node.attrs, PowerAttrs):
        return _centred(graph, node.inputs[0]) if node.attrs.exponent == 2 else None
    if node.op is not Op.MUL or len(set(node.inputs)) > 1 or not _is_plain(node):
        return None
    return _centred(graph, node.inputs[0])


def _mean_axis(graph: Graph, node: Node | None) -> int | None:
    """The one axis of a mean that keeps it."""
    if node is None or node.op is not Op.MEAN:
        return None
    attrs: Any = node.attrs
    return attrs.axes[0] if attrs.keep_dims and len(attrs.axes) == 1 else None


def _scalar(graph: Graph, name: str) -> float | None:
    tensor = graph.tensors[name]
    return float(tensor.value.item()) if tensor.is_constant and tensor.elements == 1 else None


def _is_plain(node: Node) -> bool:
    clamp = clamp_of(node)
    return clamp is None or clamp.is_identity


def _fuse(graph: Graph, node: Node, norm: _Norm) -> Graph:
    editor = GraphEditor(graph)
    sources = sources_between(graph, norm.centred.x, node)
    fused = replace(
        node,
        op=Op.LAYER_NORM,
        inputs=(norm.centred.x,),
        attrs=LayerNormAttrs(norm.epsilon),
        sources=sources,
    )
    x = graph.tensors[norm.centred.x]
    rank, axis = len(x.shape), norm.centred.axis
    if axis == rank - 1:
        editor.replace_node(node, fused)
        return editor.build()
    perm = (*(i for i in range(rank) if i != axis), axis)
    back = tuple(perm.index(i) for i in range(rank))
    shape = tuple(x.shape[i] for i in perm)
    before = editor.add_tensor(Tensor(f"{x.name}/channels_last", shape, x.dtype))
    after = editor.add_tensor(Tensor(f"{node.output}/channels_last", shape, x.dtype))
    editor.replace_node(
        node,
        Node(
            editor.unique_node(f"{node.name}/channels_last"),
            Op.TRANSPOSE,
            (x.name,),
            (before,),
            TransposeAttrs(perm),
            sources,
        ),
        replace(fused, inputs=(before,), outputs=(after,)),
        Node(
            editor.unique_node(f"{node.name}/channels_first"),
            Op.TRANSPOSE,
            (after,),
            node.outputs,
            TransposeAttrs(back),
            sources,
        ),
    )
    return editor.build()
