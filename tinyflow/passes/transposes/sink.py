"""Moves a TRANSPOSE below a MEAN or a RESHAPE."""

from __future__ import annotations

from dataclasses import replace

from tinyflow.ir import Graph, GraphEditor, Node, Op
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.transpose import TransposeAttrs
from tinyflow.passes.transposes.axes import (
    Perm,
    inverse,
    is_identity,
    only_units_differ,
    split_groups,
)
from tinyflow.passes.transposes.chains import perm_of


def sink_below_means(graph: Graph) -> tuple[Graph, bool]:
    """TRANSPOSE, MEAN that drops its axes -> MEAN, TRANSPOSE of what is left."""
    for node in graph.nodes:
        above = graph.producer(node.inputs[0])
        if above is None or above.op is not Op.TRANSPOSE or node.op is not Op.MEAN:
            continue
        assert isinstance(node.attrs, MeanAttrs)
        if node.attrs.keep_dims:
            continue
        perm = perm_of(above)
        axes = tuple(sorted(perm[axis] for axis in node.attrs.axes))
        left = [axis for axis in range(len(perm)) if axis not in axes]
        order = [perm[i] for i in range(len(perm)) if i not in node.attrs.axes]
        editor = GraphEditor(graph)
        shape = tuple(graph.tensors[above.inputs[0]].shape[axis] for axis in left)
        result = replace(graph.result(node), name=f"{node.output}/mean", shape=shape)
        name = editor.add_tensor(result)
        mean = replace(
            node, inputs=above.inputs, outputs=(name,), attrs=MeanAttrs(axes, keep_dims=False)
        )
        rest = TransposeAttrs(tuple(left.index(axis) for axis in order))
        back = _beside(editor, node, "order", Op.TRANSPOSE, name, node.output, rest)
        editor.replace_node(node, mean, back)
        return editor.build(), True
    return graph, False


def sink_below_reshapes(graph: Graph) -> tuple[Graph, bool]:
    """TRANSPOSE, RESHAPE that splits or joins axes -> RESHAPE, TRANSPOSE of the runs of axes.

    What the TRANSPOSE changes inside a run stays above the RESHAPE.
    """
    for node in graph.nodes:
        above = graph.producer(node.inputs[0])
        if above is None or above.op is not Op.TRANSPOSE or node.op is not Op.RESHAPE:
            continue
        editor = GraphEditor(graph)
        if _sink_below_reshape(editor, node, above):
            return editor.build(), True
    return graph, False


def _sink_below_reshape(editor: GraphEditor, node: Node, above: Node) -> bool:
    graph = editor.graph
    source = graph.tensors[above.inputs[0]]
    middle, result = graph.tensors[above.output].shape, graph.result(node).shape
    groups = None if only_units_differ(middle, result) else split_groups(middle, result)
    if groups is None:
        return False
    perm = perm_of(above)
    runs = [sorted(perm[axis] for axis in group) for group, _ in groups]
    if any(not _is_run(run, source.shape) for run in runs):
        return False
    # The runs in the source's order, the axes of each in the order in which the RESHAPE reads.
    first = [next((a for a in run if source.shape[a] > 1), run[0]) for run in runs]
    order = [0, *sorted(range(1, len(groups)), key=lambda g: first[g])]
    if order == list(range(len(groups))):
        return False
    inner: Perm = tuple(perm[axis] for g in order for axis in groups[g][0])
    outer = [axis for g in order for axis in groups[g][1]]
    if outer[0] != 0:
        return False
    x = above.inputs[0]
    new = []
    if not is_identity(inner):
        shape = tuple(source.shape[axis] for axis in inner)
        moved = editor.add_tensor(replace(source, name=f"{node.output}/inner", shape=shape))
        attrs = TransposeAttrs(inner)
        new.append(_beside(editor, node, "inner", Op.TRANSPOSE, x, moved, attrs))
        x = moved
    shape = tuple(result[axis] for axis in outer)
    reshaped = replace(graph.result(node), name=f"{node.output}/runs", shape=shape)
    name = editor.add_tensor(reshaped)
    new.append(replace(node, inputs=(x,), outputs=(name,), attrs=ReshapeAttrs(shape)))
    back = TransposeAttrs(inverse(outer))
    new.append(_beside(editor, node, "order", Op.TRANSPOSE, name, node.output, back))
    editor.replace_node(node, *new)
    return True


def _is_run(axes: list[int], shape: tuple[int, ...]) -> bool:
    """Whether no other axis of more than one element lies between the axes."""
    inside = [axis for axis in axes if shape[axis] > 1] or axes
    return all(shape[a] == 1 for a in range(inside[0], inside[-1]) if a not in inside)


def _beside(
    editor: GraphEditor,
    node: Node,
    suffix: str,
    op: Op,
    source: str,
    result: str,
    attrs: TransposeAttrs | ReshapeAttrs,
) -> Node:
    """A node that belongs to another one and bears its name with a suffix."""
    name = editor.unique_node(f"{node.name}/{suffix}")
    return Node(name, op, (source,), (result,), attrs, node.sources)
