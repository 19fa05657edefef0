"""Layers that scale and offset each channel, and what such a map becomes on its way through
layers that it commutes with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinyflow.ir import NO_CLAMP, Clamp, Graph, Node, Op
from tinyflow.ir.ops.batch_norm import scale_and_offset
from tinyflow.passes.facts import clamp_of, is_float


@dataclass(frozen=True, eq=False)
class Affine:
    """``scale * x + offset`` on the last axis, float64 [c] each."""

    scale: np.ndarray
    offset: np.ndarray

    @property
    def channels(self) -> int:
        return len(self.scale)

    @property
    def is_uniform(self) -> bool:
        return bool(np.all(self.scale == self.scale[0]) and np.all(self.offset == self.offset[0]))

    @property
    def is_finite(self) -> bool:
        return bool(np.isfinite(self.scale).all() and np.isfinite(self.offset).all())


@dataclass(frozen=True, eq=False)
class AffineNode:
    """A node that computes ``clamp(map(x))``."""

    node: Node
    x: str
    map: Affine
    clamp: Clamp = NO_CLAMP


def affine_node(graph: Graph, node: Node) -> AffineNode | None:
    """The node as an affine map per channel: BATCH_NORM, HARD_SIGMOID, ADD and such."""
    read = _READERS.get(node.op)
    if read is None or not is_float(graph, node):
        return None
    return read(graph, node)


def _batch_norm(graph: Graph, node: Node) -> AffineNode | None:
    parameters = [graph.tensors[name] for name in node.inputs[1:]]
    if not all(t.is_constant for t in parameters):
        return None
    attrs: Any = node.attrs
    gamma, beta, mean, variance = (t.value for t in parameters)
    affine = Affine(*scale_and_offset(attrs, gamma, beta, mean, variance))
    return AffineNode(node, node.inputs[0], affine)


def _binary(graph: Graph, node: Node) -> AffineNode | None:
    left, right = graph.operands(node)
    if left.is_constant == right.is_constant:
        return None
    x, constant = (right, left) if left.is_constant else (left, right)
    shape = graph.result(node).shape
    per_channel = constant.shape[-1:] == shape[-1:] and constant.elements == shape[-1]
    if x.shape != shape or not (constant.elements == 1 or per_channel):
        return None
    k = np.broadcast_to(constant.value.astype(np.float64).ravel(), shape[-1:])
    one, zero = np.ones_like(k), np.zeros_like(k)
    maps = {
        (Op.ADD, False): Affine(one, k),
        (Op.ADD, True): Affine(one, k),
        (Op.SUB, False): Affine(one, -k),
        (Op.SUB, True): Affine(-one, k),
        (Op.MUL, False): Affine(k, zero),
        (Op.MUL, True): Affine(k, zero),
    }
    return AffineNode(node, x.name, maps[node.op, left.is_constant], clamp_of(node) or NO_CLAMP)


def _hard_sigmoid(graph: Graph, node: Node) -> AffineNode:
    attrs: Any = node.attrs
    channels = graph.result(node).shape[-1]
    affine = Affine(np.full(channels, attrs.alpha), np.full(channels, attrs.beta))
    return AffineNode(node, node.inputs[0], affine, Clamp(0.0, 1.0))


_READERS: dict[Op, Callable[[Graph, Node], AffineNode | None]] = {
    Op.ADD: _binary,
    Op.BATCH_NORM: _batch_norm,
    Op.HARD_SIGMOID: _hard_sigmoid,
    Op.MUL: _binary,
    Op.SUB: _binary,
}


@dataclass(frozen=True, eq=False)
class Passage:
    """A node that a map has passed, as it is afterwards, and the map on its other side."""

    node: Node
    map: Affine


def pass_up(graph: Graph, node: Node, after: Affine) -> Passage | None:
    """Moves a map that follows a node in front of it; None where the two do not commute."""
    commute = _COMMUTE.get(node.op)
    return commute(graph, node, after, True) if commute and is_float(graph, node) else None


def pass_down(graph: Graph, node: Node, before: Affine) -> Passage | None:
    """Moves a map that precedes a node behind it; None where the two do not commute."""
    commute = _COMMUTE.get(node.op)
    return commute(graph, node, before, False) if commute and is_float(graph, node) else None


def clamp_through(clamp: Clamp, affine: Affine, up: bool) -> Clamp | None:
    """The clamp that a map leaves behind when it moves in front of one (``up``) or behind it.

    None where the map turns the order round or its channels need different bounds.
    """
    if clamp.is_identity:
        return clamp
    if np.any(affine.scale <= 0):
        return None
    if up:
        lo, hi = (affine.scale * bound + affine.offset for bound in (clamp.lo, clamp.hi))
    else:
        lo, hi = ((bound - affine.offset) / affine.scale for bound in (clamp.lo, clamp.hi))
    if np.any(lo != lo[0]) or np.any(hi != hi[0]):
        return None
    return Clamp(float(np.float32(lo[0])), float(np.float32(hi[0])))


def _clamp(graph: Graph, node: Node, affine: Affine, up: bool) -> Passage | None:
    attrs: Any = node.attrs
    clamp = clamp_through(attrs.clamp, affine, up)
    if clamp is None:
        return None
    return Passage(replace(node, attrs=replace(attrs, clamp=clamp)), affine)


def _max_pool(graph: Graph, node: Node, affine: Affine, up: bool) -> Passage | None:
    """A maximum stays one where the map does not turn the order round."""
    return None if np.any(affine.scale < 0) else _clamp(graph, node, affine, up)


def _average(graph: Graph, node: Node, affine: Affine, up: bool) -> Passage | None:
    """Weights that sum to one, the same in each channel; padding does not count."""
    return Passage(node, affine)


def _mean(graph: Graph, node: Node, affine: Affine, up: bool) -> Passage | None:
    attrs: Any = node.attrs
    rank = len(graph.tensors[node.inputs[0]].shape)
    return Passage(node, affine) if rank - 1 not in attrs.axes else None


def _transpose(graph: Graph, node: Node, affine: Affine, up: bool) -> Passage | None:
    attrs: Any = node.attrs
    return Passage(node, affine) if attrs.perm[-1] == len(attrs.perm) - 1 else None


def _reshape(graph: Graph, node: Node, affine: Affine, up: bool) -> Passage | None:
    """Channels repeat along the last axis where that of the map's side divides the other's."""
    far = node.inputs[0] if up else node.output
    channels = graph.tensors[far].shape[-1]
    if channels % affine.channels and not affine.is_uniform:
        return None
    index = np.arange(channels) % affine.channels
    return Passage(node, Affine(affine.scale[index], affine.offset[index]))


def _slice(graph: Graph, node: Node, affine: Affine, up: bool) -> Passage | None:
    """Upwards, the channels that the slice leaves out would need a map as well."""
    attrs: Any = node.attrs
    whole = graph.result(node).shape[-1] == graph.tensors[node.inputs[0]].shape[-1]
    if up and not whole:
        return None
    kept = slice(None) if up else slice(attrs.begin[-1], attrs.end[-1], attrs.strides[-1])
    return Passage(node, Affine(affine.scale[kept], affine.offset[kept]))


def _pad(graph: Graph, node: Node, affine: Affine, up: bool) -> Passage | None:
    """The border is one number, so it must become the same one in each channel."""
    attrs: Any = node.attrs
    if attrs.pads[-1] != (0, 0) or np.any(affine.scale == 0) or not np.isfinite(attrs.value):
        return None
    if up:
        border = affine.scale * attrs.value + affine.offset
    else:
        border = (attrs.value - affine.offset) / affine.scale
    value = float(np.float32(border[0]))
    if not np.all(border == border[0]):
        return None
    return Passage(replace(node, attrs=replace(attrs, value=value)), affine)


_COMMUTE: dict[Op, Callable[[Graph, Node, Affine, bool], Passage | None]] = {
    Op.AVERAGE_POOL: _clamp,
    Op.CLAMP: _clamp,
    Op.MAX_POOL: _max_pool,
    Op.MEAN: _mean,
    Op.PAD: _pad,
    Op.RESHAPE: _reshape,
    Op.RESIZE_BILINEAR: _average,
    Op.RESIZE_NEAREST: _average,
    Op.SLICE: _slice,
    Op.TRANSPOSE: _transpose,
}
