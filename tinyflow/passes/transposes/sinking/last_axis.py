"""Operations on the last axis: FULLY_CONNECTED, SOFTMAX, the normalizations."""

from __future__ import annotations

import math

from tinyflow.ir import Node, Shape
from tinyflow.passes.transposes.sinking.operands import factored, is_moved
from tinyflow.passes.transposes.sweep import Held, Sunk, Sweep
from tinyflow.passes.views import View
from tinyflow.passes.views.factored import Factored
from tinyflow.passes.views.moves import MOST_AXES


def sink_last_axis(sweep: Sweep, node: Node) -> Sunk | None:
    """Where the last axis is the innermost part of what is stored."""
    held = sweep.held(node.inputs[0])
    form = channels_last(held) if is_moved(held) else None
    if form is None:
        return None
    x = sweep.place(node.inputs[0], form)
    return Sunk((x, *node.inputs[1:]), node.attrs, form.shape, held.view)


def sink_fully_connected(sweep: Sweep, node: Node) -> Sunk | None:
    """As `sink_last_axis`; the last axis has another size afterwards."""
    held = sweep.held(node.inputs[0])
    form = channels_last(held) if is_moved(held) else None
    if form is None:
        return None
    features = sweep.graph.result(node).shape[-1]
    axes = Factored.of(held.view, form.shape)
    if axes is None or not axes.seen[-1]:
        return None
    x = sweep.place(node.inputs[0], form)
    stored = (*form.shape[:-1], features)
    return Sunk(
        (x, *node.inputs[1:]), node.attrs, stored, axes.resized(axes.seen[-1], features).view()
    )


def channels_last(held: Held) -> View | None:
    """The tensor as it is stored, with the last axis that is seen as its last one."""
    axes = factored(held)
    if axes is None:
        return None
    last = axes.seen[-1]
    if last != tuple(range(len(axes.sizes)))[len(axes.sizes) - len(last) :]:
        return None
    if axes.stored[-1] == last:
        return View.of(held.stored)
    lead = [axes.product([i for i in ids if i not in last]) for ids in axes.stored]
    whole = [bool(ids) and set(ids) <= set(last) for ids in axes.stored]
    kept: Shape = tuple(d for d, gone in zip(lead, whole, strict=True) if not gone)
    if len(kept) >= MOST_AXES:
        kept = (1, math.prod(kept))
    return View.of(held.stored).reshape((*kept, axes.product(last)))
