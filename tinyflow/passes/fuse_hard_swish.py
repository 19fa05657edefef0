"""Recognises hard-swish and hard-sigmoid where an exporter wrote them in smaller steps."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from tinyflow.ir import Attrs, Clamp, Graph, GraphEditor, Node, Op
from tinyflow.ir.ops.broadcast import BinaryAttrs
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.hard_sigmoid import HardSigmoidAttrs


def fuse_hard_swish(graph: Graph) -> tuple[Graph, bool]:
    """``clip(x + 3, 0, 6) / 6`` becomes HARD_SIGMOID, and ``x`` times that HARD_SWISH.

    Only where nothing else reads what lies between, and nothing of it is quantized. Clamps may be
    layers of their own or fused already.
    """
    changed = False
    while (step := _fuse_one(graph)) is not None:
        graph, changed = step, True
    return graph, changed


def _fuse_one(graph: Graph) -> Graph | None:
    for node in graph.nodes:
        if node.op is not Op.MUL or graph.result(node).quant is not None:
            continue
        new = _hard_swish(graph, node) or _hard_sigmoid(graph, node)
        if new is not None:
            editor = GraphEditor(graph)
            for old in _between(graph, node, new.inputs[0]):
                editor.remove_node(old)
            editor.replace_node(node, new)
            return editor.build()
    return None


def _hard_swish(graph: Graph, node: Node) -> Node | None:
    """x * hard_sigmoid(x), or x * clip(x + 3, 0, 6) / 6 with the division anywhere."""
    if not _is_plain(node):
        return None
    for x, other in (node.inputs, node.inputs[::-1]):
        if graph.tensors[x].is_constant:
            continue
        if _is_gate(graph, other, x):
            return _fused(graph, node, x, Op.HARD_SWISH, Attrs())
    value = _scaled_by(graph, node, 1 / 6)
    inner = _inner(graph, value)
    if inner is None or inner.op is not Op.MUL or not _is_plain(inner):
        return None
    for x, other in (inner.inputs, inner.inputs[::-1]):
        if not graph.tensors[x].is_constant and _is_clipped(graph, other, x):
            return _fused(graph, node, x, Op.HARD_SWISH, Attrs())
    return None


def _hard_sigmoid(graph: Graph, node: Node) -> Node | None:
    """clip(x + 3, 0, 6) / 6."""
    value = _scaled_by(graph, node, 1 / 6)
    add = _below_clamp(graph, value) if value is not None else None
    x = _shifted_by(graph, add, 3.0) if add is not None else None
    if x is None or value is None or not _is_clipped(graph, value, x):
        return None
    return _fused(graph, node, x, Op.HARD_SIGMOID, HardSigmoidAttrs(1 / 6, 0.5))


def _is_gate(graph: Graph, name: str, x: str) -> bool:
    """Whether a tensor is the hard sigmoid of ``x``, in one node or in steps."""
    node = _inner(graph, name)
    if node is None:
        return False
    if node.op is Op.HARD_SIGMOID:
        assert isinstance(node.attrs, HardSigmoidAttrs)
        form = math.isclose(node.attrs.alpha, 1 / 6, rel_tol=1e-6) and node.attrs.beta == 0.5
        return form and node.inputs == (x,)
    value = _scaled_by(graph, node, 1 / 6)
    return value is not None and _is_clipped(graph, value, x)


def _is_clipped(graph: Graph, name: str, x: str) -> bool:
    """Whether a tensor is clip(x + 3, 0, 6)."""
    add = _below_clamp(graph, name)
    return add is not None and _shifted_by(graph, add, 3.0) == x


def _below_clamp(graph: Graph, name: str | None) -> Node | None:
    """The ADD of which a tensor is clip(sum, 0, 6)."""
    node = _inner(graph, name)
    if node is None:
        return None
    if node.op is Op.CLAMP:
        assert isinstance(node.attrs, ClampAttrs)
        add = _inner(graph, node.inputs[0]) if node.attrs.clamp == Clamp(0.0, 6.0) else None
        return add if add is not None and add.op is Op.ADD and _is_plain(add) else None
    if node.op is Op.ADD:
        assert isinstance(node.attrs, BinaryAttrs)
        return node if node.attrs.clamp == Clamp(0.0, 6.0) else None
    return None


def _shifted_by(graph: Graph, node: Node, amount: float) -> str | None:
    """What a node adds ``amount`` to."""
    return _with_scalar(graph, node, amount) if node.op is Op.ADD else None


def _scaled_by(graph: Graph, node: Node, factor: float) -> str | None:
    """What a node multiplies by ``factor``."""
    return _with_scalar(graph, node, factor) if node.op is Op.MUL and _is_plain(node) else None


def _with_scalar(graph: Graph, node: Node, scalar: float) -> str | None:
    for name, other in (node.inputs, node.inputs[::-1]):
        value = graph.tensors[other]
        if not value.is_constant or graph.tensors[name].is_constant:
            continue
        same_shape = graph.tensors[name].shape == graph.result(node).shape
        if same_shape and np.allclose(value.value, scalar, rtol=1e-6, atol=0):
            return name
    return None


def _inner(graph: Graph, name: str | None) -> Node | None:
    """The producer of a tensor that only one node reads."""
    if name is None or graph.sole_consumer(name) is None:
        return None
    return graph.producer(name)


def _is_plain(node: Node) -> bool:
    assert isinstance(node.attrs, BinaryAttrs)
    return node.attrs.clamp.is_identity


def _between(graph: Graph, node: Node, x: str) -> list[Node]:
    """The nodes on the way from ``x`` to a node, both ends left out."""
    found: list[Node] = []
    for name in dict.fromkeys(node.inputs):
        producer = graph.producer(name)
        if name != x and producer is not None:
            found += [producer, *_between(graph, producer, x)]
    return found


def _fused(graph: Graph, node: Node, x: str, op: Op, attrs: Attrs) -> Node:
    inner = sorted(_between(graph, node, x), key=lambda n: graph.nodes.index(n))
    sources = dict.fromkeys(s for n in (*inner, node) for s in n.sources)
    return replace(node, op=op, inputs=(x,), attrs=attrs, sources=tuple(sources))
