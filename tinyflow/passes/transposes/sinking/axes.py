"""Operations along axes that they name: MEAN, CONCAT, SLICE, PAD."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tinyflow.ir import Attrs, Node
from tinyflow.ir.ops.concat import ConcatAttrs
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.pad import PadAttrs
from tinyflow.ir.ops.slice import SliceAttrs
from tinyflow.passes.transposes.sinking.operands import (
    cost,
    factored,
    is_constant,
    is_moved,
)
from tinyflow.passes.transposes.sweep import Sunk, Sweep
from tinyflow.passes.views import View
from tinyflow.passes.views.factored import Factored


def sink_mean(sweep: Sweep, node: Node) -> Sunk | None:
    """Where the axes, taken together, are whole axes as stored."""
    assert isinstance(node.attrs, MeanAttrs)
    held = sweep.held(node.inputs[0])
    axes = factored(held) if is_moved(held) else None
    if axes is None:
        return None
    gone = {i for axis in node.attrs.axes for i in axes.seen[axis]}
    stored = tuple(a for a, ids in enumerate(axes.stored) if ids and gone.issuperset(ids))
    if not stored or gone != {i for a in stored for i in axes.stored[a]}:
        return None
    left = axes
    for i in sorted(gone, reverse=True):
        left = left.resized((i,), 1)
    if not node.attrs.keep_dims:
        left = replace(
            left,
            stored=tuple(ids for a, ids in enumerate(left.stored) if a not in stored),
            seen=tuple(ids for a, ids in enumerate(left.seen) if a not in node.attrs.axes),
        )
    attrs = replace(node.attrs, axes=stored)
    return Sunk((held.name,), attrs, left.stored_shape, left.view())


def sink_concat(sweep: Sweep, node: Node) -> Sunk | None:
    """Where the axis is one axis as stored, and the operands are stored alike."""
    assert isinstance(node.attrs, ConcatAttrs)
    if any(is_constant(sweep, name) for name in node.inputs):
        return None
    if not any(is_moved(sweep.held(name)) for name in node.inputs):
        return None
    best: tuple[int, Factored, int, list[View]] | None = None
    for host in dict.fromkeys(node.inputs):
        axes = factored(sweep.held(host))
        axis = axes.stored_axis(node.attrs.axis) if axes is not None else None
        if axes is None or axis is None:
            continue
        views, price = _alike(sweep, node, axes, node.attrs.axis)
        if views is not None and (best is None or price < best[0]):
            best = price, axes, axis, views
    if best is None:
        return None
    price, axes, axis, views = best
    if price > sum(cost(h.view, h.stored) or 0 for h in map(sweep.held, node.inputs)):
        return None
    inputs = tuple(sweep.place(name, view) for name, view in zip(node.inputs, views, strict=True))
    total = sweep.graph.result(node).shape[node.attrs.axis]
    result = axes.resized(axes.stored[axis], total)
    return Sunk(inputs, ConcatAttrs(axis), result.stored_shape, result.view())


def _alike(sweep: Sweep, node: Node, axes: Factored, axis: int) -> tuple[list[View] | None, int]:
    """Each operand stored as the host is, and how many elements that moves."""
    views, price = [], 0
    for name in node.inputs:
        held = sweep.held(name)
        form = axes.resized(axes.seen[axis], held.view.shape[axis])
        view = form.to_stored(held.view)
        if view is None:
            return None, 0
        views.append(view)
        price += cost(view, held.stored) or 0
    return views, price


def sink_slice(sweep: Sweep, node: Node) -> Sunk | None:
    """Where each axis that is cut is one axis as stored."""
    attrs = node.attrs
    assert isinstance(attrs, SliceAttrs)
    resized = _resized_axes(sweep, node)
    if resized is None:
        return None
    stored = sweep.held(node.inputs[0]).stored
    begin, end, strides = [0] * len(stored), list(stored), [1] * len(stored)
    for seen, axis in resized.places.items():
        begin[axis], end[axis] = attrs.begin[seen], attrs.end[seen]
        strides[axis] = attrs.strides[seen]
    return resized.sunk(sweep, node, SliceAttrs(tuple(begin), tuple(end), tuple(strides)))


def sink_pad(sweep: Sweep, node: Node) -> Sunk | None:
    """Where each axis that grows is one axis as stored."""
    attrs = node.attrs
    assert isinstance(attrs, PadAttrs)
    resized = _resized_axes(sweep, node)
    if resized is None:
        return None
    pads = [(0, 0)] * len(sweep.held(node.inputs[0]).stored)
    for seen, axis in resized.places.items():
        pads[axis] = attrs.pads[seen]
    return resized.sunk(sweep, node, replace(attrs, pads=tuple(pads)))


@dataclass(frozen=True, eq=False)
class _Resized:
    """The axes of a node's result, and the stored axis of each axis that changes its size."""

    axes: Factored
    places: dict[int, int]

    def sunk(self, sweep: Sweep, node: Node, attrs: Attrs) -> Sunk:
        name = sweep.held(node.inputs[0]).name
        return Sunk((name,), attrs, self.axes.stored_shape, self.axes.view())


def _resized_axes(sweep: Sweep, node: Node) -> _Resized | None:
    held = sweep.held(node.inputs[0])
    axes = factored(held) if is_moved(held) else None
    if axes is None:
        return None
    places: dict[int, int] = {}
    result = axes
    sizes = sweep.graph.result(node).shape
    for seen, size in enumerate(held.view.shape):
        if sizes[seen] == size:
            continue
        stored = axes.stored_axis(seen)
        if stored is None:
            return None
        places[seen] = stored
        result = result.resized(result.stored[stored], sizes[seen])
    return _Resized(result, places)
