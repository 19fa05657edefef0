"""ATTENTION, CROSS_COVARIANCE and CHANNEL_GATE take maps and tokens alike."""

from __future__ import annotations

from tinyflow.ir import Node
from tinyflow.passes.transposes.sinking.last_axis import channels_last
from tinyflow.passes.transposes.sinking.operands import is_moved
from tinyflow.passes.transposes.sweep import Held, Sunk, Sweep
from tinyflow.passes.views import View
from tinyflow.passes.views.factored import Factored


def sink_attention(sweep: Sweep, node: Node) -> Sunk | None:
    """Operands that are maps seen as tokens stay maps; the result is stored as the first is."""
    operands = [sweep.held(name) for name in node.inputs[:3]]
    if not any(_is_map(held) for held in operands):
        return None
    names = zip(node.inputs[:3], operands, strict=True)
    inputs = [held.name if _is_map(held) else sweep.place(name, held.view) for name, held in names]
    queries, width = operands[0], sweep.graph.result(node).shape[-1]
    lead = queries.stored[:-1] if _is_map(queries) else queries.view.shape[:-1]
    stored = (*lead, width)
    view = View.of(stored).reshape(sweep.graph.result(node).shape)
    assert view is not None
    return Sunk((*inputs, *node.inputs[3:]), node.attrs, stored, view)


def _is_map(held: Held) -> bool:
    return is_moved(held) and held.view.is_in_order and held.stored[-1] == held.view.shape[-1]


def sink_channel_gate(sweep: Sweep, node: Node) -> Sunk | None:
    """On the map as it is stored; the gate has one element a channel in any shape."""
    held = sweep.held(node.inputs[0])
    form = channels_last(held) if is_moved(held) else None
    axes = Factored.of(held.view, form.shape) if form is not None else None
    if form is None or axes is None:
        return None
    x = sweep.place(node.inputs[0], form)
    gate = node.inputs[1]
    if not sweep.graph.tensors[gate].is_constant:
        gate = sweep.place(gate, sweep.held(gate).view)
    return Sunk((x, gate, *node.inputs[2:]), node.attrs, form.shape, held.view)
