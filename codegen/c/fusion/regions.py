"""Groups of neighbouring layers that can run tile by tile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tinyflow.codegen.c.fusion.members import (
    goes_by_positions,
    is_cut,
    positions,
    reads_all_rows,
    slides,
)
from tinyflow.ir import Graph, Node

MOST_NODES = 9
"""Of a region."""

MOST_REGIONS = 80
"""That are grown from one tensor."""


@dataclass(frozen=True)
class Region:
    """``nodes`` in order; ``window`` is the one that needs neighbouring rows, if there is one,
    and ``before`` those that compute what its windows slide over."""

    nodes: tuple[Node, ...]
    window: Node | None = None
    before: tuple[Node, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        return frozenset(node.name for node in self.nodes)


def grow_regions(graph: Graph, tensor: str) -> Iterator[Region]:
    """The regions in which ``tensor`` is not stored whole, small ones first."""
    producer, readers = graph.producer(tensor), graph.consumers(tensor)
    if producer is None or not readers or tensor in graph.outputs:
        return
    start = _closed(graph, frozenset({producer.name, *(reader.name for reader in readers)}))
    seen = {start}
    queue = [start]
    while queue:
        names = queue.pop(0)
        region = make_region(graph, names)
        if region is not None:
            yield region
        for wider in _neighbours(graph, names):
            if wider not in seen and len(wider) <= MOST_NODES and len(seen) < MOST_REGIONS:
                seen.add(wider)
                queue.append(wider)


def make_region(graph: Graph, names: frozenset[str]) -> Region | None:
    """The region of these nodes; None where they cannot run tile by tile."""
    nodes = tuple(node for node in graph.nodes if node.name in names)
    last = nodes[-1]
    for node in nodes[:-1]:
        readers = graph.consumers(node.output)
        if node.output in graph.outputs or not all(r.name in names for r in readers):
            return None
        if not readers:
            return None
    windows = [node for node in nodes if not goes_by_positions(graph, node)]
    if len(windows) > 1 or not all(slides(graph, node) for node in windows):
        return None
    if not windows:
        return Region(nodes) if _is_level(graph, nodes, last) else None
    window = windows[0]
    before = _before(graph, nodes, window)
    if before is None:
        return None
    after = tuple(node for node in nodes if node not in before)
    if before and not reads_all_rows(graph, window):
        return None
    if not _is_level(graph, before, window) or not _is_level(graph, after, last, window):
        return None
    return Region((*before, *after), window, before)


def _before(graph: Graph, nodes: tuple[Node, ...], window: Node) -> tuple[Node, ...] | None:
    """The nodes that the window depends on; None where another node reads what they compute, or
    where another operand than the first does depend on them."""
    wanted, found = {window.inputs[0]}, []
    for node in reversed(nodes):
        if node is not window and node.output in wanted:
            wanted.update(node.inputs)
            found.append(node)
    made = {node.output for node in found}
    rest = [node for node in nodes if node not in found]
    strays = [name for node in rest for name in node.inputs[node is window :] if name in made]
    inner = [n for node in rest if node is not window for n in node.inputs if n in made]
    return None if strays or inner else tuple(reversed(found))


def _is_level(graph: Graph, nodes: tuple[Node, ...], end: Node, window: Node | None = None) -> bool:
    """Whether the nodes' tensors have as many rows and positions as one of ``end``: its result,
    or where it is a window that follows them, its first operand."""
    if not nodes:
        return True
    level = graph.result(end) if end in nodes else graph.operands(end)[0]
    ranked = window is not None or end not in nodes
    for node in nodes:
        for name in (*(() if node is window else node.inputs), node.output):
            tensor = graph.tensors[name]
            if name != node.output and not is_cut(graph, node, name):
                continue
            if positions(tensor) != positions(level):
                return False
            if ranked and tensor.shape[:3] != level.shape[:3]:
                return False
    return True


def _neighbours(graph: Graph, names: frozenset[str]) -> Iterator[frozenset[str]]:
    """Wider by one node that follows or goes before, and by what must come along."""
    nodes = [node for node in graph.nodes if node.name in names]
    inner = {node.output for node in nodes}
    last = nodes[-1]
    for reader in graph.consumers(last.output):
        yield _closed(graph, names | {reader.name})
    for node in nodes:
        for name in node.inputs:
            producer = graph.producer(name)
            if name not in inner and producer is not None:
                yield _closed(graph, names | {producer.name})


def _closed(graph: Graph, names: frozenset[str]) -> frozenset[str]:
    """With the readers of all that flows within the group."""
    while True:
        nodes = [node for node in graph.nodes if node.name in names]
        wider = set(names)
        for node in nodes[:-1]:
            wider.update(reader.name for reader in graph.consumers(node.output))
        if len(wider) == len(names) or len(wider) > MOST_NODES:
            return frozenset(wider)
        names = frozenset(wider)
