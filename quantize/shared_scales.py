"""Which tensors must share one scale, solved before any range is picked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tinyflow.ir import OPS, Graph, GraphEditor, Node, Op, QuantParams, Tensor
from tinyflow.ir.ops.pad import PadAttrs
from tinyflow.quantize.ranges import Range, union

Edge = tuple[str, str]
"""(tensor, name of the node that reads it)."""


@dataclass(frozen=True)
class ScaleGroup:
    """Tensors with one common quantization, in graph order; ``fixed`` where an operation's
    definition prescribes it."""

    members: tuple[str, ...]
    fixed: QuantParams | None = None


class UnionFind:
    """Disjoint sets of names; the first of two joined roots stays the root."""

    def __init__(self, names: Iterable[str]) -> None:
        self._parent = {name: name for name in names}

    def find(self, name: str) -> str:
        root = name
        while self._parent[root] != root:
            root = self._parent[root]
        while self._parent[name] != root:
            self._parent[name], name = root, self._parent[name]
        return root

    def join(self, a: str, b: str) -> None:
        self._parent[self.find(b)] = self.find(a)

    def sets(self) -> list[tuple[str, ...]]:
        table: dict[str, list[str]] = {}
        for name in self._parent:
            table.setdefault(self.find(name), []).append(name)
        return [tuple(members) for members in table.values()]


_JOINING = (Op.CONCAT, Op.MAXIMUM, Op.MINIMUM)
"""Operations of several operands, all of one scale."""


def activations(graph: Graph) -> list[str]:
    """Graph inputs and node outputs, in order."""
    return [*graph.inputs, *(node.output for node in graph.nodes)]


def _components(graph: Graph, without: Edge | None = None) -> UnionFind:
    """Activations joined by the operations that cannot rescale, one reading left out."""
    sets = UnionFind(activations(graph))
    for node in graph.nodes:
        if OPS[node.op].same_params:
            for name in node.inputs:
                if not graph.tensors[name].is_constant and (name, node.name) != without:
                    sets.join(name, node.output)
    return sets


def scale_groups(
    graph: Graph, given: Mapping[str, QuantParams] | None = None
) -> tuple[ScaleGroup, ...]:
    """All activations, each in exactly one group; ``given`` are scales that the model brings.

    Requires `separate_fixed_outputs`, or what `take_given_scales` gives: else a group might have to
    obey two masters.
    """
    fixed = given or {}
    return tuple(
        ScaleGroup(
            members,
            next((fixed[name] for name in members if name in fixed), None)
            or next(iter(_prescribed(graph, members).values()), None),
        )
        for members in _components(graph).sets()
    )


def _prescribed(graph: Graph, members: tuple[str, ...]) -> dict[str, QuantParams]:
    """Of the members, those whose operation fixes their quantization."""
    table = {}
    for name in members:
        node = graph.producer(name)
        params = OPS[node.op].output_params if node is not None else None
        if params is not None:
            table[name] = params
    return table


def _sources(graph: Graph, members: tuple[str, ...]) -> list[str]:
    """Of the members, those that no operation of the group computes."""
    producers = ((name, graph.producer(name)) for name in members)
    return [name for name, node in producers if node is None or not OPS[node.op].same_params]


def _brings_values(graph: Graph, members: tuple[str, ...]) -> bool:
    """Whether an operation of the group adds values of its own: constants, a border not 0."""
    producers = [node for node in map(graph.producer, members) if node is not None]
    inside = [node for node in producers if OPS[node.op].same_params]
    return any(
        (isinstance(node.attrs, PadAttrs) and node.attrs.value != 0.0)
        or any(graph.tensors[name].is_constant for name in node.inputs)
        for node in inside
    )


def separate_fixed_outputs(graph: Graph) -> Graph:
    """Puts a QUANTIZE behind each fixed-scale output that would have to share its scale with a
    tensor which cannot take it over. Afterwards, each group has at most one fixed scale."""
    editor = GraphEditor(graph)
    for members in _components(graph).sets():
        fixed = _prescribed(graph, members)
        uniform = len(fixed) == len(_sources(graph, members)) and len(set(fixed.values())) == 1
        if fixed and not (uniform and not _brings_values(graph, members)):
            for name in fixed:
                readers = [n.name for n in graph.consumers(name) if OPS[n.op].same_params]
                insert_quantize(editor, name, readers)
    return editor.build()


def insert_quantize(editor: GraphEditor, tensor: str, readers: list[str]) -> str | None:
    """Lets the named readers of ``tensor`` read it through a QUANTIZE; its output's name."""
    if not readers:
        return None
    source = editor.tensors[tensor]
    result = editor.add_tensor(Tensor(f"{tensor}_rescaled", source.shape, source.dtype))
    editor.nodes = [
        replace(node, inputs=tuple(result if i == tensor else i for i in node.inputs))
        if node.name in readers
        else node
        for node in editor.nodes
    ]
    stem = readers[0] + "_rescale"
    sources = next(node.sources for node in editor.nodes if node.name == readers[0])
    rescale = Node(editor.unique_node(stem), Op.QUANTIZE, (tensor,), (result,), sources=sources)
    first = next(node for node in editor.nodes if node.name in readers)
    editor.replace_node(first, rescale, first)
    return result


def separate_costly_ranges(
    graph: Graph, observed: Mapping[str, Range], limit_db: float
) -> tuple[Graph, dict[str, Range]]:
    """Puts a QUANTIZE before a CONCAT, MAXIMUM or MINIMUM where its scale would cost other readers
    too much.

    A tensor that is joined or compared with wider ones loses resolution. That is no loss where
    only that layer reads it: its codes are that coarse anyway. Where another layer (or the caller)
    reads it, too, and would lose more than ``limit_db``, the tensor keeps a scale of its own.
    Returns the graph and the observed ranges with the new tensors' added.
    """
    ranges = dict(observed)
    for node in [n for n in graph.nodes if n.op in _JOINING]:
        for name in dict.fromkeys(node.inputs):
            if graph.tensors[name].is_constant or not _too_costly(
                graph, ranges, (name, node.name), limit_db
            ):
                continue
            editor = GraphEditor(graph)
            result = insert_quantize(editor, name, [node.name])
            if result is not None:
                ranges[result] = ranges[name]
            graph = editor.build()
    return graph, ranges


def _too_costly(graph: Graph, ranges: Mapping[str, Range], edge: Edge, limit_db: float) -> bool:
    tensor, reader = edge
    joined = _components(graph)
    apart = _components(graph, without=edge)
    output = next(n.output for n in graph.nodes if n.name == reader)
    if apart.find(tensor) == apart.find(output):
        return False
    if _prescribed(graph, tuple(n for n in ranges if joined.find(n) == joined.find(tensor))):
        return False
    own = [name for name in ranges if apart.find(name) == apart.find(tensor)]
    everyone = [name for name in ranges if joined.find(name) == joined.find(tensor)]
    if not any(_read_outside(graph, name) for name in own):
        return False
    narrow = union(ranges[name].with_zero() for name in own).width
    wide = union(ranges[name].with_zero() for name in everyone).width
    return narrow > 0.0 and 20.0 * math.log10(wide / narrow) > limit_db


def _read_outside(graph: Graph, name: str) -> bool:
    """Whether a layer that can rescale, or the caller, reads the tensor."""
    readers = graph.consumers(name)
    return name in graph.outputs or any(not OPS[n.op].same_params for n in readers)
