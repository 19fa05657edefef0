"""Where the data of a tensor comes from, above the nodes that only move it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tinyflow.ir import Graph, GraphEditor, Node, Op, Shape
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.transpose import TransposeAttrs
from tinyflow.passes.facts import same_codes
from tinyflow.passes.views.moves import moves
from tinyflow.passes.views.view import View

MOVES = (Op.TRANSPOSE, Op.RESHAPE)


@dataclass(frozen=True)
class Source:
    """The tensor ``name``, of the shape ``stored``, seen as ``view``."""

    name: str
    stored: Shape
    view: View

    def then(self, node: Node) -> Source | None:
        """As a TRANSPOSE or RESHAPE shows it; None where that is no view of the source."""
        seen = seen_through(self.view, node)
        return replace(self, view=seen) if seen is not None else None


def source_of(graph: Graph, tensor: str) -> Source:
    """Through TRANSPOSEs and RESHAPEs as far up as the tensor is a view of what is there."""
    chain: list[Node] = []
    name = tensor
    while True:
        node = graph.producer(name)
        if node is None or not is_move(graph, node):
            break
        chain.append(node)
        name = node.inputs[0]
    source = whole(graph, name)
    for node in reversed(chain):
        seen = source.then(node) or whole(graph, node.inputs[0]).then(node)
        assert seen is not None
        source = seen
    return source


def whole(graph: Graph, tensor: str) -> Source:
    """A tensor as it is."""
    shape = graph.tensors[tensor].shape
    return Source(tensor, shape, View.of(shape))


def is_move(graph: Graph, node: Node) -> bool:
    """Whether a node moves the elements of an activation and keeps what their codes mean."""
    if node.op not in MOVES or graph.tensors[node.inputs[0]].is_constant:
        return False
    return same_codes(graph, node.inputs[0], node.output)


def seen_through(view: View, node: Node) -> View | None:
    """What a TRANSPOSE or RESHAPE makes of a view."""
    if isinstance(node.attrs, TransposeAttrs):
        return view.transpose(node.attrs.perm)
    assert isinstance(node.attrs, ReshapeAttrs)
    return view.reshape(node.attrs.shape)


def move_nodes(
    editor: GraphEditor, source: Source, owner: Node, output: str | None = None
) -> tuple[list[Node], str]:
    """Nodes, to be put into the graph, that bring a tensor of the editor into the form of a
    view, and the tensor that they make: ``output``, or a new one, or the source itself.

    They bear the owner's name with a suffix, or the owner's own name where they make ``output``.
    """
    steps = list(moves(source.view, source.stored).steps(source.stored))
    if output is not None and not steps:
        steps.append((Op.RESHAPE, ReshapeAttrs(source.view.shape)))
    nodes: list[Node] = []
    name, view = source.name, View.of(source.stored)
    for op, attrs in steps:
        suffix = "moved" if op is Op.TRANSPOSE else "reshaped"
        is_last = len(nodes) == len(steps) - 1
        own = output is not None and is_last
        label = owner.name if own else editor.claim_node(f"{owner.name}/{suffix}")
        node = Node(label, op, (name,), (), attrs, owner.sources)
        seen = seen_through(view, node)
        assert seen is not None
        view = seen
        tensor = replace(editor.tensors[name], shape=view.shape)
        if own:
            assert output is not None
            name = output
            editor.tensors[name] = replace(tensor, name=name)
        else:
            name = editor.add_tensor(replace(tensor, name=f"{owner.output}/{suffix}"))
        nodes.append(replace(node, outputs=(name,)))
    return nodes, name
