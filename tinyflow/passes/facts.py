"""Questions that several passes ask of a graph."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from tinyflow.ir import Clamp, DType, Graph, Node, Op
from tinyflow.ir.ops.fake_quant import FakeQuantAttrs
from tinyflow.ir.ops.pad import PadAttrs

_FIXED = {
    Op.HARD_SIGMOID: (0.0, 1.0),
    Op.SIGMOID: (0.0, 1.0),
    Op.SOFTMAX: (0.0, 1.0),
    Op.TANH: (-1.0, 1.0),
}

# Results lie between the least and the greatest of what is read.
_BETWEEN = {
    Op.AVERAGE_POOL,
    Op.CLAMP,
    Op.CONCAT,
    Op.MAX_POOL,
    Op.MEAN,
    Op.RESHAPE,
    Op.RESIZE_BILINEAR,
    Op.RESIZE_NEAREST,
    Op.SLICE,
    Op.TRANSPOSE,
}

_FLOATS = {DType.FLOAT32, DType.FLOAT64}

Bounds = tuple[float, float]


def find_node(graph: Graph, name: str) -> Node | None:
    """The node of that name as it is now, in a graph that a pass rewrites node by node."""
    return next((node for node in graph.nodes if node.name == name), None)


def sources_between(graph: Graph, x: str, node: Node) -> tuple[str, ...]:
    """The source layers of a node and of all nodes on the way to it from tensor ``x``, in order."""
    found: set[str] = set()
    pending = [node]
    while pending:
        step = pending.pop()
        if step.name in found:
            continue
        found.add(step.name)
        producers = [graph.producer(name) for name in step.inputs if name != x]
        pending += [p for p in producers if p is not None]
    ordered = [n for n in graph.nodes if n.name in found]
    return tuple(dict.fromkeys(source for n in ordered for source in n.sources))


def is_float(graph: Graph, node: Node) -> bool:
    """Whether the node computes with floats alone, so that its arithmetic may be rearranged."""
    tensors = [*graph.operands(node), graph.result(node)]
    return all(t.dtype in _FLOATS and t.quant is None for t in tensors)


def same_codes(graph: Graph, *names: str) -> bool:
    """Whether equal elements of these tensors mean equal numbers."""
    tensors = [graph.tensors[name] for name in names]
    return len({(t.dtype, t.quant) for t in tensors}) == 1


def clamp_of(node: Node) -> Clamp | None:
    """The clamp that the node applies to its result; None where its operation has none."""
    return getattr(node.attrs, "clamp", None)


def bounds(graph: Graph, tensor: str) -> Bounds:
    """Real numbers between which every element of a tensor lies, as far as the graph tells."""
    return _bounds(graph, tensor, {})


def _bounds(graph: Graph, name: str, known: dict[str, Bounds]) -> Bounds:
    if name not in known:
        known[name] = _meet(_computed(graph, name, known), _representable(graph, name))
    return known[name]


def _computed(graph: Graph, name: str, known: dict[str, Bounds]) -> Bounds:
    tensor = graph.tensors[name]
    if tensor.is_constant and not tensor.dtype.is_integer:
        return float(np.min(tensor.value)), float(np.max(tensor.value))
    node = graph.producer(name)
    if node is None:
        return -math.inf, math.inf
    within = _FIXED.get(node.op, (-math.inf, math.inf))
    if node.op in _BETWEEN:
        within = _join(_bounds(graph, i, known) for i in node.inputs)
    elif isinstance(node.attrs, FakeQuantAttrs):
        attrs = node.attrs
        lo, hi = (attrs.scale * (code - attrs.zero_point) for code in (attrs.lo, attrs.hi))
        within = lo, hi
    elif isinstance(node.attrs, PadAttrs):
        value = node.attrs.value
        within = _join([_bounds(graph, node.inputs[0], known), (value, value)])
    clamp = clamp_of(node)
    if clamp is None:
        return within
    lo, hi = (min(max(b, clamp.lo), clamp.hi) for b in within)
    return lo, hi


def _representable(graph: Graph, name: str) -> Bounds:
    """What the codes of a quantized tensor can say."""
    tensor = graph.tensors[name]
    if tensor.quant is None or tensor.quant.axis is not None or not tensor.dtype.is_integer:
        return -math.inf, math.inf
    info = np.iinfo(tensor.dtype.numpy)
    scale, zero = tensor.quant.scale, tensor.quant.zero_point
    return scale * (int(info.min) - zero), scale * (int(info.max) - zero)


def _meet(a: Bounds, b: Bounds) -> Bounds:
    return max(a[0], b[0]), min(a[1], b[1])


def _join(parts: Iterable[Bounds]) -> Bounds:
    lows, highs = zip(*parts, strict=True)
    return min(lows), max(highs)
