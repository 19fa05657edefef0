"""From a region and a size of tiles to a fused step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tinyflow.codegen.c.fusion.members import is_cut
from tinyflow.codegen.c.fusion.regions import Region
from tinyflow.codegen.c.fusion.tiles import (
    describe_window,
    read_twice,
    tile_graph,
    units_of,
)
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.codegen.schedule import Demand, Fused, Overlap, plan_inside, rising_distance
from tinyflow.ir import OPS, Graph, Node

Select = Callable[[Graph, Node], Variant]
"""The kernel of a node of a graph of tiles."""


@dataclass(frozen=True)
class Step:
    """A fused step and its kernels, by node."""

    fused: Fused
    choices: dict[str, Variant]


def build(graph: Graph, region: Region, tile: int, select: Select) -> Step:
    """``tile`` divides the units of the region."""
    tiles = tile_graph(graph, region, tile)
    window = describe_window(graph, region)
    choices = {node.name: select(tiles, node) for node in tiles.nodes}
    demands = {node.name: choices[node.name].demand(tiles, node) for node in tiles.nodes}
    outside = {*tiles.inputs, region.nodes[-1].output}
    if window is not None:
        outside.add(window.source)
        outside.remove(window.band)
    inside = plan_inside(tiles, demands, outside)
    sharing = _Sharing(graph, region, tile)
    replaces = sharing.replaced()
    overlap = None if replaces else sharing.overlap()
    fused = Fused(
        nodes=region.nodes,
        tiles=tiles,
        units=units_of(graph, region),
        tile=tile,
        places=inside.places,
        scratch=inside.scratch,
        demand=Demand(inside.nbytes, overlap=overlap, replaces=replaces),
        cut=_cut_names(graph, region, tiles),
        aliases=read_twice(region),
        window=window,
        leading=len(region.before),
        consumed=sharing.source if overlap is not None else None,
    )
    return Step(fused, choices)


def _cut_names(graph: Graph, region: Region, tiles: Graph) -> frozenset[str]:
    """The tensors of the tiles that have the shape of a tile."""
    whole = {
        name
        for node in region.nodes
        if node is not region.window
        for name in node.inputs
        if not is_cut(graph, node, name)
    }
    return frozenset(n for n, t in tiles.tensors.items() if not t.is_constant and n not in whole)


@dataclass(frozen=True)
class _Sharing:
    """Where the result may lie: a tile of it is written when the tiles of the operands have been
    read, by the last node itself or before."""

    graph: Graph
    region: Region
    tile: int

    @property
    def last(self) -> Node:
        return self.region.nodes[-1]

    def replaced(self) -> tuple[str, ...]:
        """The operands of which a tile is read for the last time before, or as, the result's tile
        is written to its very place. Those that the last node reads come first."""
        window = describe_window(self.graph, self.region)
        result = self.graph.result(self.last)
        if window is not None and window.stride != 1:
            return ()
        found = []
        for name in self._cut():
            tensor = self.graph.tensors[name]
            if tensor.shape != result.shape or tensor.dtype is not result.dtype:
                continue
            if name not in self.last.inputs:
                found.append(name)
            elif OPS[self.last.op].in_place:
                found.insert(0, name)
        return tuple(found)

    @property
    def source(self) -> str:
        """The largest operand that only other nodes than the last read; empty for none."""
        names = [name for name in self._cut() if name not in self.last.inputs]
        return max(names, key=lambda name: self.graph.tensors[name].nbytes, default="")

    def overlap(self) -> Overlap | None:
        """How the result may follow `source` through its memory."""
        if not self.source:
            return None
        window = describe_window(self.graph, self.region)
        units, result = units_of(self.graph, self.region), self.graph.result(self.last)
        operand = self.graph.tensors[self.source]
        reads, writes = [], []
        for y in range(0, units, self.tile):
            spans = []
            if self._feeds_tiles():
                spans.append((y, y + self.tile, units))
            if window is not None and self._feeds_window():
                spans.append((*window.new_rows(y, self.tile), window.rows))
            begins, ends, heights = zip(*spans, strict=True)
            row = operand.nbytes // heights[0]
            reads.append((min(begins) * row, max(ends) * row))
            row = result.nbytes // units
            writes.append((y * row, (y + self.tile) * row))
        return Overlap(rising_distance(reads, writes, operand.nbytes, read_first=True))

    def _feeds_window(self) -> bool:
        """Whether the window's rows are or come from `source`."""
        region = self.region
        readers = region.before or ((region.window,) if region.window else ())
        return any(self.source in node.inputs for node in readers)

    def _feeds_tiles(self) -> bool:
        """Whether `source` is read where the result has its tile, too."""
        region = self.region
        after = [n for n in region.nodes if n not in region.before]
        if not region.before:
            after = [n for n in after if n is not region.window]
        return any(self.source in node.inputs for node in after)

    def _cut(self) -> list[str]:
        """The operands that are read tile by tile."""
        made = {node.output for node in self.region.nodes}
        return list(
            dict.fromkeys(
                name
                for node in self.region.nodes
                for name in node.inputs
                if name not in made
                and (node is self.region.window or is_cut(self.graph, node, name))
                and not self.graph.tensors[name].is_constant
            )
        )
