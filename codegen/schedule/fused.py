"""Layers that run together tile by tile, so that what flows between them is never stored whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tinyflow.codegen.schedule.demand import Demand
from tinyflow.codegen.schedule.placement import Placement
from tinyflow.ir import Graph, Node


@dataclass(frozen=True)
class Window:
    """The one layer among those of a fused step whose rows need neighbouring rows.

    ``node`` is its name and ``source`` the tensor that its windows slide over, ``rows`` rows high.
    A tile of the result needs a band of these rows, of which the last ``kernel - stride`` serve
    the next one too: the band is a buffer of its own, called ``band`` in the graph of the tiles.
    Rows of it that lie beside the tensor hold the code ``fill``.
    """

    node: str
    source: str
    band: str
    rows: int
    kernel: int
    stride: int
    pad: int
    fill: int

    def band_rows(self, tile: int) -> int:
        """Rows that ``tile`` rows of the result need."""
        return (tile - 1) * self.stride + self.kernel

    def new_rows(self, begin: int, tile: int) -> tuple[int, int]:
        """The rows of the source that must be added for the result's rows from ``begin`` on."""
        top = begin * self.stride - self.pad
        kept = top + self.kernel - self.stride if begin else 0
        return min(kept, self.rows), min(top + self.band_rows(tile), self.rows)


@dataclass(frozen=True, eq=False)
class Fused:
    """Nodes that run tile by tile.

    ``nodes`` are those of the model, in order; the last one's result is what the step leaves.
    ``tiles`` holds the same nodes as their kernels see them: with the shapes of a tile. Tensors
    of the arena that are ``cut`` into tiles have such a shape there, too; others are needed whole.
    A unit is a row, or where no layer needs neighbours a position; the result has ``units`` of
    them, ``tile`` in a tile. ``places`` and ``scratch`` lie in the step's working memory, by
    tensor of the tiles and by node, offsets from its start. ``demand`` is that of the whole step.
    ``aliases`` are names in the tiles, and the tensors that they stand for, where some nodes read
    other rows of one tensor than others.
    """

    nodes: tuple[Node, ...]
    tiles: Graph
    units: int
    tile: int
    places: Mapping[str, Placement]
    scratch: Mapping[str, Placement]
    demand: Demand
    cut: frozenset[str]
    aliases: Mapping[str, str]
    window: Window | None = None
    leading: int = 0
    """Nodes that come first: they compute rows of the window's source."""
    consumed: str | None = None
    """The operand of which the demand's overlap speaks."""

    @property
    def name(self) -> str:
        """The step is called after its last node."""
        return self.nodes[-1].name

    @property
    def names(self) -> frozenset[str]:
        """Of the nodes."""
        return frozenset(node.name for node in self.nodes)

    @property
    def output(self) -> str:
        return self.nodes[-1].output

    @property
    def inner(self) -> frozenset[str]:
        """The tensors that are never stored whole."""
        return frozenset(node.output for node in self.nodes[:-1])

    @property
    def inputs(self) -> tuple[str, ...]:
        """What the nodes read and do not compute."""
        read = [name for node in self.nodes for name in node.inputs]
        first = [self.consumed] if self.consumed is not None else []
        return tuple(dict.fromkeys([*first, *(n for n in read if n not in self.inner)]))

    @property
    def before(self) -> tuple[Node, ...]:
        """The nodes of the tiles that compute rows of the window's source."""
        return self.tiles.nodes[: self.leading]

    @property
    def after(self) -> tuple[Node, ...]:
        """The nodes of the tiles that compute a tile of what the result has as many units of."""
        return self.tiles.nodes[self.leading :]


def contract(graph: Graph, fused: Sequence[Fused]) -> Graph:
    """The graph as the memory plan sees it: each fused step is its last node, which reads what
    the step reads."""
    step_of = {node.name: step for step in fused for node in step.nodes}
    nodes = []
    for node in graph.nodes:
        step = step_of.get(node.name)
        if step is None:
            nodes.append(node)
        elif node.name == step.name:
            nodes.append(replace(node, inputs=step.inputs))
    return replace(graph, nodes=tuple(nodes)) if fused else graph


def expand(graph: Graph, contracted: Graph, fused: Sequence[Fused]) -> Graph:
    """``graph`` with its nodes in the order of the steps of ``contracted``."""
    nodes_of = {step.name: step.nodes for step in fused}
    by_name = {node.name: node for node in graph.nodes}
    order = [
        each for node in contracted.nodes for each in nodes_of.get(node.name, (by_name[node.name],))
    ]
    return graph if tuple(order) == graph.nodes else replace(graph, nodes=tuple(order))
