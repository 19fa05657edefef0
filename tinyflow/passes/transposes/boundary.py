"""Takes TRANSPOSEs at the graph's inputs and outputs into `Graph.layouts`."""

from __future__ import annotations

from dataclasses import replace

from tinyflow.ir import Graph, GraphEditor, Node, Op
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.passes.transposes.axes import (
    Perm,
    compose,
    inverse,
    is_identity,
    only_units_differ,
    wide,
)
from tinyflow.passes.transposes.chains import perm_of


def absorb_at_boundary(graph: Graph) -> tuple[Graph, bool]:
    """The caller hands its arrays over in the order that the first layers want, and takes them in
    the order in which the last layers leave them."""
    changed = False
    for step in (_absorb_input, _absorb_output):
        names = graph.inputs if step is _absorb_input else graph.outputs
        for name in names:
            graph, done = step(graph, name)
            changed |= done
    return graph, changed


def _absorb_input(graph: Graph, name: str) -> tuple[Graph, bool]:
    """Where every reader of an input puts its axes in one other order."""
    readers = graph.consumers(name)
    if name in graph.outputs or any(reader.output in graph.outputs for reader in readers):
        return graph, False
    orders = {_order(graph, reader) for reader in readers}
    perm = orders.pop() if len(orders) == 1 else None
    if perm is None:
        return graph, False
    editor = GraphEditor(graph)
    for reader in readers:
        editor.remove_node(reader)
        editor.redirect(reader.output, name)
    editor.tensors[name] = replace(graph.tensors[readers[0].output], name=name)
    _add_layout(editor, name, perm)
    return editor.build(), True


def _absorb_output(graph: Graph, name: str) -> tuple[Graph, bool]:
    """Where an output is nothing but an inner tensor with its axes in another order."""
    node = graph.producer(name)
    if node is None or graph.consumers(name):
        return graph, False
    perm = _order(graph, node)
    source = node.inputs[0]
    if perm is None:
        return _absorb_above_reshape(graph, node)
    if graph.producer(source) is None or source in graph.outputs:
        return graph, False
    editor = GraphEditor(graph)
    editor.remove_node(node)
    del editor.tensors[name]
    editor.rename_output(source, name)
    _add_layout(editor, name, inverse(perm))
    return editor.build(), True


def _order(graph: Graph, node: Node) -> Perm | None:
    """The order in which a TRANSPOSE, or a RESHAPE that only moves axes of 1, puts the axes."""
    if node.op is Op.TRANSPOSE:
        return perm_of(node)
    if node.op is not Op.RESHAPE:
        return None
    source, result = graph.tensors[node.inputs[0]].shape, graph.result(node).shape
    if source == result or len(source) != len(result) or not only_units_differ(source, result):
        return None
    units = iter([axis for axis, size in enumerate(source) if size == 1])
    others = iter(wide(source))
    return tuple(next(units if size == 1 else others) for size in result)


def _absorb_above_reshape(graph: Graph, node: Node) -> tuple[Graph, bool]:
    """As `_absorb_output`, where a RESHAPE that only adds or drops axes of 1 comes last."""
    above = graph.producer(node.inputs[0]) if node.op is Op.RESHAPE else None
    if above is None or above.op is not Op.TRANSPOSE:
        return graph, False
    middle, result = graph.result(above).shape, graph.result(node).shape
    if not only_units_differ(middle, result):
        return graph, False
    came_from = {at: perm_of(above)[a] for at, a in zip(wide(result), wide(middle), strict=True)}
    order = iter(sorted(came_from, key=lambda at: came_from[at]))
    perm = tuple(next(order) if axis in came_from else axis for axis in range(len(result)))
    editor = GraphEditor(graph)
    shape = tuple(result[axis] for axis in perm)
    editor.replace_node(node, replace(node, inputs=above.inputs, attrs=ReshapeAttrs(shape)))
    editor.tensors[node.output] = replace(graph.result(node), shape=shape)
    _add_layout(editor, node.output, perm)
    return editor.build(), True


def _add_layout(editor: GraphEditor, name: str, perm: Perm) -> None:
    """Puts the axes of an input or output in another order than they had so far."""
    layout = compose(editor.layouts.pop(name, tuple(range(len(perm)))), perm)
    if not is_identity(layout):
        editor.layouts[name] = layout
