"""Splits a layer whose result is only read in parts into one layer for each part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinyflow.ir import Graph, GraphEditor, Node, Op, Tensor
from tinyflow.ir.ops.slice import SliceAttrs
from tinyflow.passes.facts import find_node, is_float, same_codes
from tinyflow.passes.views import Atom, View
from tinyflow.passes.views.factored import cut
from tinyflow.passes.views.source import Source, is_move, move_nodes, seen_through


def split_projections(graph: Graph) -> tuple[Graph, bool]:
    """FULLY_CONNECTED or CONV_2D, then nothing but SLICEs that take output channels, through
    RESHAPEs and TRANSPOSEs in between -> one layer for each set of channels.

    The sets do not overlap; channels that nothing reads are dropped. Three equal parts are called
    q, k and v after the source's layer, other ones are numbered.
    """
    changed = False
    for name in [node.name for node in graph.nodes if node.op in _LAYERS]:
        node = find_node(graph, name)
        parts = _parts(graph, node) if node is not None else None
        if node is not None and parts is not None:
            graph, changed = _split(graph, node, parts), True
    return graph, changed


_LAYERS = (Op.CONV_2D, Op.FULLY_CONNECTED)


@dataclass(frozen=True, eq=False)
class _Part:
    """The SLICE, the channels that it takes in rising order, and the layer of only these seen as
    the SLICE's result."""

    reader: Node
    channels: tuple[int, ...]
    view: View


def _parts(graph: Graph, node: Node) -> list[_Part] | None:
    attrs: Any = node.attrs
    constants = [graph.tensors[name] for name in node.inputs[1:]]
    if not is_float(graph, node) or not all(t.is_constant for t in constants):
        return None
    if node.op is Op.CONV_2D and attrs.groups != 1:
        return None
    shape = graph.result(node).shape
    parts = []
    for reader, view in _readers(graph, node.output, View.of(shape)):
        part = _part(reader, view, shape) if reader is not None and view is not None else None
        if part is None:
            return None
        parts.append(part)
    sets = {part.channels for part in parts}
    taken = [channel for channels in sets for channel in channels]
    if not parts or len(taken) != len(set(taken)) or sets == {tuple(range(shape[-1]))}:
        return None
    return parts


def _readers(
    graph: Graph, tensor: str, view: View | None
) -> Iterator[tuple[Node | None, View | None]]:
    """All SLICEs that read a view of the layer; (None, None) for anything else."""
    if tensor in graph.outputs or view is None:
        yield None, None
        return
    for node in graph.consumers(tensor):
        if is_move(graph, node):
            yield from _readers(graph, node.output, seen_through(view, node))
        elif isinstance(node.attrs, SliceAttrs) and same_codes(graph, tensor, node.output):
            attrs = node.attrs
            yield node, view.slice(attrs.begin, attrs.end, attrs.strides)
        else:
            yield None, None


def _part(reader: Node, view: View, shape: tuple[int, ...]) -> _Part | None:
    """None where the SLICE takes not only channels, or not those of all pixels."""
    total = shape[-1]
    pieces = [[cut(atom, [total]) for atom in axis] for axis in view.axes]
    if any(piece is None for axis in pieces for piece in axis) or view.offset >= total:
        return None
    axes = [[atom for piece in axis for atom in piece or ()] for axis in pieces]
    inner = sorted((a for axis in axes for a in axis if a.stride < total), key=lambda a: -a.stride)
    channels = np.full(1, view.offset)
    for atom in inner:
        channels = (channels[:, None] + np.arange(atom.size) * atom.stride).ravel()
    positions = view.elements // len(channels)
    if channels.max() >= total or positions * total != int(np.prod(shape)):
        return None
    strides, stride = {}, 1
    for atom in inner[::-1]:
        strides[atom] = stride
        stride *= atom.size
    packed = [
        [
            Atom(a.size, strides[a] if a in strides else a.stride // total * len(channels))
            for a in axis
        ]
        for axis in axes
    ]
    return _Part(reader, tuple(int(c) for c in channels), View.grouped(packed))


def _split(graph: Graph, node: Node, parts: list[_Part]) -> Graph:
    editor = GraphEditor(graph)
    sets = sorted({part.channels for part in parts})
    equal = len(sets) == 3 and len({len(channels) for channels in sets}) == 1
    labels = ("q", "k", "v") if equal else tuple(str(i) for i in range(len(sets)))
    result = graph.result(node)
    layers: list[Node] = []
    outputs: dict[tuple[int, ...], Tensor] = {}
    for channels, label in zip(sets, labels, strict=True):
        inputs = [node.inputs[0]]
        for name in node.inputs[1:]:
            value = graph.tensors[name].value[list(channels)]
            inputs.append(editor.add_constant(f"{name}.{label}", value))
        shape = (*result.shape[:-1], len(channels))
        tensor = Tensor(f"{result.name}.{label}", shape, result.dtype)
        output = editor.add_tensor(tensor)
        outputs[channels] = replace(tensor, name=output)
        name = editor.claim_node(f"{node.name}.{label}")
        layers.append(replace(node, name=name, inputs=tuple(inputs), outputs=(output,)))
    editor.replace_node(node, *layers)
    for part in parts:
        layer = outputs[part.channels]
        source = Source(layer.name, layer.shape, part.view)
        editor.replace_node(
            part.reader, *move_nodes(editor, source, part.reader, part.reader.output)[0]
        )
    _drop_unread(editor)
    return editor.build()


def _drop_unread(editor: GraphEditor) -> None:
    """Without the RESHAPEs and TRANSPOSEs that the SLICEs read."""
    needed = set(editor.outputs)
    kept = []
    for node in reversed(editor.nodes):
        if needed.intersection(node.outputs):
            kept.append(node)
            needed.update(node.inputs)
    editor.nodes = kept[::-1]
