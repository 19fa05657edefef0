"""Functions of one element, and of two with broadcasting."""

from __future__ import annotations

import numpy as np

from tinyflow.ir import Node, Tensor
from tinyflow.passes.transposes.sinking.operands import cost, factored, is_constant, is_moved
from tinyflow.passes.transposes.sweep import Held, Sunk, Sweep
from tinyflow.passes.views import View
from tinyflow.passes.views.factored import Factored

Stored = View | np.ndarray | str
"""A view of how an operand is stored, the value of a constant, or a name that stays."""


def sink_unary(sweep: Sweep, node: Node) -> Sunk | None:
    held = sweep.held(node.inputs[0])
    if not is_moved(held):
        return None
    return Sunk((held.name, *node.inputs[1:]), node.attrs, held.stored, held.view)


def sink_binary(sweep: Sweep, node: Node) -> Sunk | None:
    """On the operand as it is stored that spares most; the other one is brought into its order."""
    result = sweep.graph.result(node).shape
    names = [name for name in node.inputs if not is_constant(sweep, name)]
    if not any(is_moved(sweep.held(name)) for name in names) or _per_axis(sweep, node):
        return None
    options: list[tuple[int, bool, int, Held, list[Stored | None]]] = []
    for name in names:
        held = sweep.held(name)
        axes = factored(held)
        if axes is None or axes.seen_shape != result:
            continue
        inputs = [_stored(sweep, other, axes) for other in node.inputs]
        if any(entry is None for entry in inputs):
            continue
        price = _price(sweep, node, inputs)
        options.append((price, held.view.is_in_order, len(options), held, inputs))
    if not options:
        return None
    least = min(options, key=lambda option: option[:3])
    if least[0] > _as_seen(sweep, names):
        return None
    held, inputs = least[3:]
    placed = [
        _place(sweep, node, name, entry) for name, entry in zip(node.inputs, inputs, strict=True)
    ]
    return Sunk(tuple(placed), node.attrs, held.stored, held.view)


def _per_axis(sweep: Sweep, node: Node) -> bool:
    quants = [sweep.graph.tensors[name].quant for name in node.inputs]
    return any(quant is not None and quant.axis is not None for quant in quants)


def _stored(sweep: Sweep, name: str, axes: Factored) -> Stored | None:
    """The operand in the order of the stored one; None where it cannot be."""
    tensor = sweep.graph.tensors[name]
    if not tensor.is_constant:
        part = axes.broadcast(tensor.shape)
        return part.to_stored(sweep.held(name).view) if part is not None else None
    if tensor.elements == 1:
        return name
    shape = (1,) * (len(axes.seen) - len(tensor.shape)) + tensor.shape
    part = axes.broadcast(shape)
    value = tensor.value.reshape(shape)
    if part is None:
        part, value = axes, np.broadcast_to(value, axes.seen_shape)
    return part.stored_array(value)


def _price(sweep: Sweep, node: Node, inputs: list[Stored | None]) -> int:
    total = 0
    for name, entry in zip(node.inputs, inputs, strict=True):
        if isinstance(entry, View):
            total += cost(entry, sweep.held(name).stored) or 0
    return total


def _as_seen(sweep: Sweep, names: list[str]) -> int:
    held: list[Held] = [sweep.held(name) for name in names]
    return sum(cost(h.view, h.stored) or 0 for h in held)


def _place(sweep: Sweep, node: Node, name: str, entry: Stored | None) -> str:
    if isinstance(entry, View):
        return sweep.place(name, entry)
    if isinstance(entry, np.ndarray):
        old = sweep.graph.tensors[name]
        return sweep.add_constant(name, Tensor.constant(name, entry, old.quant), node)
    return name
