"""Joins a squeeze-excite gate and the shortcut around it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tinyflow.ir import Graph, GraphEditor, Node, Op
from tinyflow.ir.ops.channel_gate import ChannelGateAttrs
from tinyflow.passes.facts import clamp_of, is_float


def fuse_channel_gate(graph: Graph) -> tuple[Graph, bool]:
    """``x + (scale * x + shift) * gate`` and ``x + x * gate`` -> CHANNEL_GATE with a residual.

    Only where nothing else reads the product, and neither it nor the sum has an activation. A
    product with a gate alone stays a MUL.
    """
    changed = False
    for node in [node for node in graph.nodes if node.op is Op.ADD]:
        inner = _gated(graph, node)
        if inner is not None:
            graph, changed = _fuse(graph, node, inner), True
    return graph, changed


def _gated(graph: Graph, node: Node) -> Node | None:
    """The product of one operand with a gate, where it is the other operand."""
    if not is_float(graph, node) or not _is_plain(node):
        return None
    for x, other in (node.inputs, node.inputs[::-1]):
        producer = graph.producer(other)
        if producer is None or graph.sole_consumer(other) is None or x not in producer.inputs:
            continue
        if producer.op is Op.CHANNEL_GATE and _gates(producer, x):
            return producer
        if producer.op is Op.MUL and _multiplies(graph, producer, x):
            return producer
    return None


def _gates(node: Node, x: str) -> bool:
    attrs: Any = node.attrs
    return node.inputs[0] == x and not attrs.residual


def _multiplies(graph: Graph, node: Node, x: str) -> bool:
    gate = graph.tensors[_other(node, x)]
    whole = graph.tensors[x].shape
    one_pixel = gate.shape[-1:] == (gate.elements,) == whole[-1:]
    fits = one_pixel and len(gate.shape) in (2, len(whole)) and gate.shape != whole
    return fits and not gate.is_constant and _is_plain(node) and is_float(graph, node)


def _other(node: Node, x: str) -> str:
    return node.inputs[1] if node.inputs[0] == x else node.inputs[0]


def _is_plain(node: Node) -> bool:
    clamp = clamp_of(node)
    return clamp is not None and clamp.is_identity


def _fuse(graph: Graph, node: Node, inner: Node) -> Graph:
    editor = GraphEditor(graph)
    operands = inner.inputs
    if inner.op is Op.MUL:
        x = node.inputs[0] if node.inputs[1] == inner.output else node.inputs[1]
        channels, dtype = graph.result(node).shape[-1], graph.result(node).dtype.numpy
        scale = editor.add_constant(f"{inner.name}/scale", np.ones(channels, dtype))
        shift = editor.add_constant(f"{inner.name}/shift", np.zeros(channels, dtype))
        operands = (x, _other(inner, x), scale, shift)
    editor.remove_node(node)
    fused = replace(
        inner,
        op=Op.CHANNEL_GATE,
        inputs=operands,
        outputs=node.outputs,
        attrs=ChannelGateAttrs(residual=True),
        sources=inner.sources + node.sources,
    )
    editor.replace_node(inner, fused)
    return editor.build()
