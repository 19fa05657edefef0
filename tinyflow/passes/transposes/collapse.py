"""Lowers the rank of TRANSPOSEs that are left: axes that stay side by side become one."""

from __future__ import annotations

from dataclasses import replace

from tinyflow.ir import Graph, GraphEditor, Node, Op
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.transpose import TransposeAttrs
from tinyflow.passes.transposes.axes import MOST_AXES
from tinyflow.passes.transposes.chains import perm_of


def collapse_axes(graph: Graph) -> tuple[Graph, bool]:
    """A TRANSPOSE of more than four axes becomes RESHAPE, TRANSPOSE of fewer, RESHAPE."""
    editor = GraphEditor(graph)
    changed = False
    for node in graph.nodes:
        if not is_collapsible(graph, node):
            continue
        changed = True
        source, result = graph.tensors[node.inputs[0]], graph.result(node)
        runs = _runs(source.shape, perm_of(node))
        in_source = sorted(range(len(runs)), key=lambda r: runs[r][0])
        sizes = [_size(source.shape, run) for run in runs]
        before = (1, *(sizes[r] for r in in_source))
        after = (1, *sizes)
        perm = (0, *(in_source.index(r) + 1 for r in range(len(runs))))
        joined = editor.add_tensor(replace(source, name=f"{node.output}/joined", shape=before))
        moved = editor.add_tensor(replace(result, name=f"{node.output}/moved", shape=after))
        join = Node(
            editor.unique_node(f"{node.name}/joined"),
            Op.RESHAPE,
            node.inputs,
            (joined,),
            ReshapeAttrs(before),
            node.sources,
        )
        move = replace(node, inputs=(joined,), outputs=(moved,), attrs=TransposeAttrs(perm))
        split = Node(
            editor.unique_node(f"{node.name}/split"),
            Op.RESHAPE,
            (moved,),
            node.outputs,
            ReshapeAttrs(result.shape),
            node.sources,
        )
        editor.replace_node(node, join, move, split)
    return (editor.build(), True) if changed else (graph, False)


def is_collapsible(graph: Graph, node: Node) -> bool:
    """Whether a node is a TRANSPOSE of more than four axes that would have fewer."""
    if node.op is not Op.TRANSPOSE or len(perm_of(node)) <= MOST_AXES:
        return False
    runs = _runs(graph.tensors[node.inputs[0]].shape, perm_of(node))
    return len(runs) + 1 < len(perm_of(node))


def _runs(shape: tuple[int, ...], perm: tuple[int, ...]) -> list[list[int]]:
    """The wide axes of the source in the result's order, cut where neighbours part."""
    wide = [axis for axis, size in enumerate(shape) if size > 1]
    runs: list[list[int]] = []
    for axis in perm:
        if shape[axis] == 1:
            continue
        place = wide.index(axis)
        if runs and place > 0 and wide[place - 1] == runs[-1][-1]:
            runs[-1].append(axis)
        else:
            runs.append([axis])
    return runs


def _size(shape: tuple[int, ...], axes: list[int]) -> int:
    size = 1
    for axis in axes:
        size *= shape[axis]
    return size
