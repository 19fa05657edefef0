"""Puts the tensors of a region in another layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tinyflow.ir import Graph, GraphEditor, Node, Op, Tensor
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.transpose import TransposeAttrs
from tinyflow.passes.transposes.axes import Layout, inverse, is_identity, relaid
from tinyflow.passes.transposes.constants import put_constant
from tinyflow.passes.transposes.regions import Region, entering, leaving
from tinyflow.passes.transposes.relayout import ELEMENTWISE, moved_attrs, moved_constant


def move_regions(graph: Graph, moves: Sequence[tuple[Region, Layout]]) -> Graph:
    """The graph with the tensors of each region in its new layout.

    TRANSPOSEs and RESHAPEs at the border keep the rest of the graph as it is. The regions must
    not overlap.
    """
    editor = GraphEditor(graph)
    for region, layout in moves:
        _move(editor, graph, region, layout)
    return editor.build()


def _move(editor: GraphEditor, graph: Graph, region: Region, layout: Layout) -> None:
    names: dict[str, str] = {}
    for name in entering(graph, region):
        reader = next(node for node in region.nodes if name in node.inputs)
        names[name] = _to_layout(editor, graph.tensors[name], layout, reader)
    needed = set(leaving(graph, region))
    for node in region.nodes:
        old = graph.result(node)
        moved = replace(old, shape=relaid(old.shape, layout))
        if old.name in needed:
            names[old.name] = editor.add_tensor(replace(moved, name=f"{old.name}/moved"))
        else:
            names[old.name] = old.name
            editor.tensors[old.name] = moved
    for node in region.nodes:
        new = [_moved_node(editor, graph, node, names, region.rank, layout)]
        if node.output in needed:
            new += _from_layout(editor, graph.result(node), names[node.output], layout, node)
        editor.replace_node(node, *new)


def _moved_node(
    editor: GraphEditor,
    graph: Graph,
    node: Node,
    names: dict[str, str],
    rank: int,
    layout: Layout,
) -> Node:
    inputs = []
    for name in node.inputs:
        tensor = graph.tensors[name]
        # Weights and parameters of operations on the last axis stay: their rank is their own.
        if tensor.is_constant and node.op in _BROADCASTING:
            value = moved_constant(tensor.value, layout, rank)
            inputs.append(put_constant(editor, graph, name, value))
        else:
            inputs.append(name if tensor.is_constant else names[name])
    outputs = (names[node.output],)
    return replace(node, inputs=tuple(inputs), outputs=outputs, attrs=moved_attrs(node, layout))


def _to_layout(editor: GraphEditor, tensor: Tensor, layout: Layout, owner: Node) -> str:
    """Appends nodes that bring a tensor into the layout."""
    perm = tuple(axis for axis in layout if axis is not None)
    name = tensor.name
    shape = tuple(tensor.shape[axis] for axis in perm)
    if not is_identity(perm):
        new = editor.add_tensor(replace(tensor, name=f"{name}/moved", shape=shape))
        attrs = TransposeAttrs(perm)
        node = Node(f"{owner.name}/moved", Op.TRANSPOSE, (name,), (new,), attrs, owner.sources)
        editor.add_node(node)
        name = new
    if None in layout:
        full = relaid(tensor.shape, layout)
        new = editor.add_tensor(replace(tensor, name=f"{tensor.name}/units", shape=full))
        units = ReshapeAttrs(full)
        node = Node(f"{owner.name}/units", Op.RESHAPE, (name,), (new,), units, owner.sources)
        editor.add_node(node)
        name = new
    return name


def _from_layout(
    editor: GraphEditor, tensor: Tensor, source: str, layout: Layout, owner: Node
) -> list[Node]:
    """Nodes that compute ``tensor`` from what the region computes now."""
    perm = tuple(axis for axis in layout if axis is not None)
    nodes = []
    if None in layout:
        shape = tuple(tensor.shape[axis] for axis in perm)
        last = is_identity(perm)
        result = tensor.name
        if not last:
            result = editor.add_tensor(replace(tensor, name=f"{tensor.name}/units", shape=shape))
        name = editor.unique_node(f"{owner.name}/units")
        attrs = ReshapeAttrs(shape)
        nodes.append(Node(name, Op.RESHAPE, (source,), (result,), attrs, owner.sources))
        source = result
    if not is_identity(perm):
        name = editor.unique_node(f"{owner.name}/restored")
        back = TransposeAttrs(inverse(perm))
        nodes.append(Node(name, Op.TRANSPOSE, (source,), (tensor.name,), back, owner.sources))
    return nodes


_BROADCASTING = ELEMENTWISE | {Op.CONCAT}
