"""Moves a map per channel out of a tensor and into everything that reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinyflow.ir import Graph, GraphEditor, Node, Op
from tinyflow.ir.ops.channel_gate import ChannelGateAttrs
from tinyflow.passes.affine import Affine, pass_down, pass_up
from tinyflow.passes.facts import clamp_of, is_float
from tinyflow.passes.weights import (
    ABSORBS,
    SCALES_OUTPUT,
    Weights,
    followed_by,
    preceded_by,
    read_weights,
    write_weights,
)


def push_down(
    graph: Graph, tensor: str, moving: Affine, sources: tuple[str, ...]
) -> GraphEditor | None:
    """An editor in which all that reads ``tensor`` computes what it did from ``moving(tensor)``.

    Layers with weights, CHANNEL_GATE and the keys of ATTENTION take the map up, and get
    ``sources`` in front of their own; layers that commute with it hand it on, and so do the
    values of ATTENTION. None where one reader can do neither.
    """
    push = _Push(graph, {}, {}, {}, set())
    if not push.spread(tensor, moving):
        return None
    return push.apply(sources)


@dataclass(frozen=True, eq=False)
class _Push:
    """What the readers become, by their names; nothing is changed until all of them agreed."""

    graph: Graph
    nodes: dict[str, Node]
    weights: dict[str, Weights]
    gates: dict[str, Affine]
    passed: set[tuple[str, str]]

    def spread(self, tensor: str, moving: Affine) -> bool:
        readers = self.graph.consumers(tensor)
        if not readers or tensor in self.graph.outputs:
            return False
        return all(self._into(reader, tensor, moving) for reader in readers)

    def _into(self, reader: Node, tensor: str, moving: Affine) -> bool:
        if (reader.name, tensor) in self.passed or not is_float(self.graph, reader):
            return False
        self.passed.add((reader.name, tensor))
        if reader.op in _RULES:
            return _RULES[reader.op](self, reader, tensor, moving)
        if reader.op in ABSORBS:
            return self._absorb(reader, tensor, moving)
        passage = pass_down(self.graph, reader, moving)
        if passage is None:
            return False
        self.nodes[reader.name] = passage.node
        return self.spread(reader.output, passage.map)

    def _absorb(self, reader: Node, tensor: str, moving: Affine) -> bool:
        weights = self.weights.get(reader.name) or read_weights(self.graph, reader)
        if weights is None or reader.inputs[0] != tensor:
            return False
        absorbed = preceded_by(reader, weights, moving)
        if absorbed is None:
            return False
        self.weights[reader.name] = absorbed
        return True

    def attention(self, reader: Node, tensor: str, moving: Affine) -> bool:
        """Softmax sees no offset of the keys, and its rows, which sum to one, none of the values.

        ``q (s k + t) = (s q) k + q t``, and the last term is the same for all keys of a query.
        """
        queries, keys, values = reader.inputs
        if tensor == queries:
            return False
        if tensor == keys and not self._scale_producer(queries, moving.scale):
            return False
        return tensor != values or self.spread(reader.output, moving)

    def _scale_producer(self, tensor: str, scale: np.ndarray) -> bool:
        """Lets the layer that computes a tensor, before layers that commute, scale its result."""
        moving = Affine(scale, np.zeros_like(scale))
        while True:
            producer = self.graph.producer(tensor)
            if producer is None or self.graph.sole_consumer(tensor) is None:
                return False
            if producer.op in SCALES_OUTPUT:
                break
            passage = pass_up(self.graph, producer, moving)
            if passage is None or passage.node is not producer:
                return False
            tensor, moving = producer.inputs[0], passage.map
        weights = self.weights.get(producer.name) or read_weights(self.graph, producer)
        clamp = clamp_of(producer)
        if weights is None or (clamp is not None and not clamp.is_identity):
            return False
        self.weights[producer.name] = followed_by(producer, weights, moving)
        return True

    def gate(self, reader: Node, tensor: str, moving: Affine) -> bool:
        """``(scale * (s x + t) + shift) * gate``."""
        x, gate, scale, shift = (self.graph.tensors[name] for name in reader.inputs)
        attrs: Any = reader.attrs
        if attrs.residual or tensor != x.name or tensor == gate.name:
            return False
        if not (scale.is_constant and shift.is_constant):
            return False
        outer = scale.value.astype(np.float64)
        offset = outer * moving.offset + shift.value.astype(np.float64)
        self.gates[reader.name] = Affine(outer * moving.scale, offset)
        return True

    def product(self, reader: Node, tensor: str, moving: Affine) -> bool:
        """``(s x + t) * gate``, where one gate for each channel is computed."""
        gate = reader.inputs[1] if reader.inputs[0] == tensor else reader.inputs[0]
        attrs: Any = reader.attrs
        x, factor = self.graph.tensors[tensor], self.graph.tensors[gate]
        per_channel = factor.shape[-1:] == (factor.elements,)
        if gate == tensor or factor.is_constant or not per_channel:
            return False
        if x.shape != self.graph.result(reader).shape or factor.shape[-1] != x.shape[-1]:
            return False
        if not attrs.clamp.is_identity:
            return False
        self.nodes[reader.name] = replace(
            reader, op=Op.CHANNEL_GATE, inputs=(tensor, gate), attrs=ChannelGateAttrs()
        )
        self.gates[reader.name] = moving
        return True

    def apply(self, sources: tuple[str, ...]) -> GraphEditor | None:
        """None where an element type cannot hold the new weights."""
        editor = GraphEditor(self.graph)
        touched = {*self.nodes, *self.weights, *self.gates}
        for old in [node for node in self.graph.nodes if node.name in touched]:
            node = self.nodes.get(old.name, old)
            weights, gate = self.weights.get(old.name), self.gates.get(old.name)
            if weights is not None:
                written = write_weights(editor, node, weights)
                if written is None:
                    return None
                node = written
            if gate is not None:
                node = _with_gate(editor, node, gate)
            if weights is not None or gate is not None:
                node = replace(node, sources=sources + node.sources)
            editor.replace_node(old, node)
        return editor


def _with_gate(editor: GraphEditor, node: Node, gate: Affine) -> Node:
    dtype = editor.graph.result(node).dtype.numpy
    scale = editor.add_constant(f"{node.name}/scale", gate.scale.astype(dtype))
    shift = editor.add_constant(f"{node.name}/shift", gate.offset.astype(dtype))
    return replace(node, inputs=(*node.inputs[:2], scale, shift))


_RULES: dict[Op, Callable[[_Push, Node, str, Affine], bool]] = {
    Op.ATTENTION: _Push.attention,
    Op.CHANNEL_GATE: _Push.gate,
    Op.MUL: _Push.product,
}
