"""MATMUL reads either operand with its last two axes exchanged."""

from __future__ import annotations

from dataclasses import replace

from tinyflow.ir import Node
from tinyflow.ir.ops.matmul import MatmulAttrs
from tinyflow.passes.transposes.sinking.operands import cost, is_constant
from tinyflow.passes.transposes.sweep import Sunk, Sweep
from tinyflow.passes.views import View


def sink_matmul(sweep: Sweep, node: Node) -> Sunk | None:
    """An operand that is cheaper to have with its last axes exchanged is read so."""
    attrs = node.attrs
    assert isinstance(attrs, MatmulAttrs)
    if any(is_constant(sweep, name) for name in node.inputs):
        return None
    left, swap_left = _cheapest(sweep, node.inputs[0])
    right, swap_right = _cheapest(sweep, node.inputs[1])
    if not (swap_left or swap_right):
        return None
    attrs = replace(
        attrs,
        transpose_a=attrs.transpose_a ^ swap_left,
        transpose_b=attrs.transpose_b ^ swap_right,
    )
    inputs = (sweep.place(node.inputs[0], left), sweep.place(node.inputs[1], right))
    shape = sweep.graph.result(node).shape
    return Sunk(inputs, attrs, shape, View.of(shape))


def _cheapest(sweep: Sweep, name: str) -> tuple[View, bool]:
    held = sweep.held(name)
    rank = len(held.view.shape)
    swapped = held.view.transpose((*range(rank - 2), rank - 1, rank - 2))
    less = (cost(swapped, held.stored) or 0) < (cost(held.view, held.stored) or 0)
    return (swapped, True) if less else (held.view, False)
