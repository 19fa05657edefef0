"""Regions of layers that take their axes in any order, and what each order would cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tinyflow.ir import Graph, Node, Op, Shape
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.passes.transposes.axes import (
    Layout,
    align,
    is_identity,
    moves_nothing,
    only_units_differ,
    relaid,
)
from tinyflow.passes.transposes.chains import MOVES, perm_of
from tinyflow.passes.transposes.flatten import is_flattening, readers_of
from tinyflow.passes.transposes.relayout import LAST_AXIS, keeps_rank

Cost = tuple[int, int]
"""Elements that are moved at run time, then TRANSPOSE and RESHAPE nodes."""


@dataclass(frozen=True, eq=False)
class Region:
    """Connected nodes whose tensors all have ``rank`` axes and must agree on their order."""

    nodes: tuple[Node, ...]
    rank: int
    tensors: frozenset[str]

    @property
    def keeps_last_axis(self) -> bool:
        return any(node.op in LAST_AXIS for node in self.nodes)


def find_regions(graph: Graph, ops: frozenset[Op]) -> list[Region]:
    """The largest connected sets of nodes with ``ops``; sharing a tensor connects."""
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    members = [n for n in graph.nodes if n.op in ops and keeps_rank(graph, n)]
    for node in members:
        for name in _activations(graph, node):
            leader[find(name)] = find(node.output)
    groups: dict[str, list[Node]] = {}
    for node in members:
        groups.setdefault(find(node.output), []).append(node)
    return [
        Region(
            tuple(nodes),
            len(graph.result(nodes[0]).shape),
            frozenset(t for n in nodes for t in (*_activations(graph, n), n.output)),
        )
        for nodes in groups.values()
    ]


def best_layout(graph: Graph, region: Region) -> Layout | None:
    """The layout that costs least, if it costs less than the present one."""
    scores: list[tuple[Cost, Layout]] = []
    for layout in dict.fromkeys(_candidates(graph, region)):
        before, after = (0, 0), (0, 0)
        for old, new in _border_costs(graph, region, layout):
            before, after = _plus(before, old), _plus(after, new)
        if after < before:
            gain = (before[0] - after[0], before[1] - after[1])
            scores.append((gain, layout))
    return max(scores, key=lambda entry: entry[0])[1] if scores else None


def entering(graph: Graph, region: Region) -> list[str]:
    """Tensors that the region reads and does not compute."""
    inside = {node.output for node in region.nodes}
    return sorted(region.tensors - inside)


def leaving(graph: Graph, region: Region) -> list[str]:
    """Tensors that the region computes and something else needs."""
    members = {node.name for node in region.nodes}
    return [
        node.output
        for node in region.nodes
        if node.output in graph.outputs
        or any(reader.name not in members for reader in graph.consumers(node.output))
    ]


def _activations(graph: Graph, node: Node) -> list[str]:
    return [name for name in node.inputs if not graph.tensors[name].is_constant]


def _candidates(graph: Graph, region: Region) -> Iterator[Layout]:
    """The layouts under which some chain at the border has nothing left to do."""
    for name in entering(graph, region):
        source, axes = _upwards(graph, name)
        rank = len(graph.tensors[source].shape)
        layout = tuple(axes.index(a) if a in axes else None for a in range(rank))
        if _is_usable(region, layout):
            yield layout
    members = {node.name for node in region.nodes}
    for name in leaving(graph, region):
        for reader in graph.consumers(name):
            if reader.name not in members and reader.op in MOVES:
                _, below = _downwards(graph, reader)
                if below is not None and _is_usable(region, below):
                    yield below


def _is_usable(region: Region, layout: Layout) -> bool:
    kept = [axis for axis in layout if axis is not None]
    if sorted(kept) != list(range(region.rank)) or layout[0] != 0 or is_identity(layout):
        return False
    return not region.keeps_last_axis or layout[-1] == region.rank - 1


def _border_costs(graph: Graph, region: Region, layout: Layout) -> Iterator[tuple[Cost, Cost]]:
    """(now, then) for each tensor that crosses the border."""
    members = {node.name for node in region.nodes}
    for name in entering(graph, region):
        yield _entry_cost(graph, members, name, layout)
    for name in leaving(graph, region):
        restored: Cost = (0, 0)
        for reader in graph.consumers(name):
            if reader.name in members:
                continue
            if reader.op in MOVES or reader.op is Op.MEAN:
                yield _exit_cost(graph, reader, layout)
            else:
                restored = _move_cost(graph.tensors[name].shape, layout)
        if name in graph.outputs and None in layout:
            restored = max(restored, (0, 1))
        yield (0, 0), restored


def _entry_cost(graph: Graph, members: set[str], name: str, layout: Layout) -> tuple[Cost, Cost]:
    shape = graph.tensors[name].shape
    readers = graph.consumers(name)
    if name in graph.inputs:
        others = [r for r in readers if r.name not in members]
        kept = tuple(axis for axis in layout if axis is not None)
        if all(r.op is Op.TRANSPOSE and perm_of(r) == kept for r in others):
            elements = graph.tensors[name].elements
            return (elements * bool(others), len(others)), (0, int(None in layout))
        return (0, 0), _move_cost(shape, layout)
    source, axes = _upwards(graph, name)
    now: Cost = (0, 0)
    at, outside = name, name in graph.outputs or any(r.name not in members for r in readers)
    while at != source and not outside:
        node = graph.producer(at)
        assert node is not None
        elements = graph.tensors[at].elements if node.op is Op.TRANSPOSE else 0
        now = _plus(now, (elements, 1))
        at = node.inputs[0]
        outside = graph.sole_consumer(at) is None
    order = [axes[axis] for axis in layout if axis is not None and shape[axis] > 1]
    if order == sorted(a for a in order if a is not None):
        same = relaid(shape, layout) == graph.tensors[source].shape
        return now, (0, 0 if same else 1)
    return now, (graph.tensors[name].elements, 1)


def _exit_cost(graph: Graph, reader: Node, layout: Layout) -> tuple[Cost, Cost]:
    """Of a TRANSPOSE, a RESHAPE or a MEAN that reads what the region computes."""
    source = graph.tensors[reader.inputs[0]]
    place = {axis: i for i, axis in enumerate(layout) if axis is not None}
    now: Cost = (0, 0)
    if reader.op in MOVES:
        now = (source.elements if reader.op is Op.TRANSPOSE else 0, 1)
    if reader.op is Op.MEAN:
        assert isinstance(reader.attrs, MeanAttrs)
        left = [a for a in range(len(source.shape)) if a not in reader.attrs.axes]
        order = [place[a] for a in left if source.shape[a] > 1]
        return now, (0, 0) if order == sorted(order) else (graph.result(reader).elements, 1)
    result, axes = _downwards(graph, reader)
    if axes is None:
        if _absorbs_order(graph, reader):
            return now, now
        cost = _move_cost(source.shape, layout)
        return now, _plus(now, (cost[0], 0)) if cost[0] else now
    order = [place[a] for a in axes if a is not None and source.shape[a] > 1]
    if order == sorted(order):
        same = graph.tensors[result].shape == relaid(source.shape, layout)
        return now, (0, 0 if same else 1)
    return now, (source.elements, 1)


def _absorbs_order(graph: Graph, reshape: Node) -> bool:
    """Whether the layers below a flattening RESHAPE have weights that can be permuted."""
    if not is_flattening(graph, reshape):
        return False
    order = np.arange(graph.result(reshape).elements)
    return readers_of(graph, reshape.output, order) is not None


def _move_cost(shape: Shape, layout: Layout) -> Cost:
    if moves_nothing(shape, layout):
        return (0, 1)
    elements = 1
    for size in shape:
        elements *= size
    return (elements, 1)


def _upwards(graph: Graph, name: str) -> tuple[str, Layout]:
    """Where a tensor's data comes from, above TRANSPOSEs and RESHAPEs that only add or drop axes
    of 1, and for each of its axes the axis there."""
    axes: Layout = tuple(range(len(graph.tensors[name].shape)))
    while True:
        node = graph.producer(name)
        if node is None or node.op not in MOVES:
            return name, axes
        source, result = graph.tensors[node.inputs[0]].shape, graph.tensors[name].shape
        if node.op is Op.TRANSPOSE:
            step: Layout = perm_of(node)
        elif only_units_differ(source, result):
            step = align(source, result)
        else:
            return name, axes
        axes = tuple(None if a is None else step[a] for a in axes)
        name = node.inputs[0]


def _downwards(graph: Graph, node: Node) -> tuple[str, Layout | None]:
    """Through a TRANSPOSE or a RESHAPE and a RESHAPE below it: the last tensor and, for each of
    its axes, the axis of the tensor that ``node`` reads; None where a RESHAPE joins axes."""
    name = node.inputs[0]
    axes: Layout | None = tuple(range(len(graph.tensors[name].shape)))
    step: Node | None = node
    while step is not None and step.op in MOVES and axes is not None:
        source, result = graph.tensors[step.inputs[0]].shape, graph.result(step).shape
        if step.op is Op.TRANSPOSE:
            axes = tuple(axes[a] for a in perm_of(step))
        elif only_units_differ(source, result):
            axes = tuple(None if a is None else axes[a] for a in align(source, result))
        elif step is node:
            return step.output, None
        else:
            break
        name = step.output
        step = graph.sole_consumer(name)
    return name, axes


def _plus(a: Cost, b: Cost) -> Cost:
    return (a[0] + b[0], a[1] + b[1])
