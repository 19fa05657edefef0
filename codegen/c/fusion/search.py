"""Which layers are fused: where the arena is fullest, as long as that helps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from tinyflow.codegen.c.fusion.build import Select, Step, build
from tinyflow.codegen.c.fusion.regions import Region, grow_regions
from tinyflow.codegen.c.fusion.tiles import units_of
from tinyflow.codegen.schedule import Demands, contract, live_bytes
from tinyflow.ir import Graph, Node

LEAST_SAVING = Fraction(1, 16)
"""Of the arena: for less, layers stay on their own."""

FEWEST_POSITIONS = 32
"""Of a tile, where the map can be cut so: kernels then spend little time around their loops."""

FEWEST_ROWS = 4
"""Of a tile, for the same reason; some rows of the band serve two tiles."""

MOST_POSITIONS = 512
MOST_ROWS = 16
"""Larger tiles gain nothing."""


def find_steps(
    graph: Graph,
    demands: Demands,
    select: Select,
    allows: Callable[[Region], bool] = lambda region: True,
) -> list[Step]:
    """Fused steps that make the arena smaller; ``demands`` are those of the layers on their own.

    Layers are fused where most bytes live, and then where most live after that. Steps without
    which the arena would be as small stay apart, and so do all if they save little.
    """
    return _Search(graph, demands, select, allows).run()


@dataclass
class _Search:
    graph: Graph
    demands: Demands
    select: Select
    allows: Callable[[Region], bool]
    regions: dict[str, list[Region]] = field(default_factory=dict)
    built: dict[tuple[frozenset[str], int], Step] = field(default_factory=dict)

    def run(self) -> list[Step]:
        before = max(self.live([]), default=0)
        steps: list[Step] = []
        while (better := self.lowered(steps)) is not None:
            steps = better
        steps = self.needed(steps)
        after = max(self.live(steps), default=0)
        if after > before * (1 - LEAST_SAVING):
            return []
        steps = self.with_smaller_regions(steps, after)
        return self.with_larger_tiles(steps, after)

    def live(self, steps: Sequence[Step]) -> list[int]:
        """Bytes that each step needs, in order."""
        fused = [step.fused for step in steps]
        demands = {**self.demands, **{each.name: each.demand for each in fused}}
        whole = contract(self.graph, fused)
        return live_bytes(whole, whole.nodes, demands)

    def lowered(self, steps: list[Step]) -> list[Step] | None:
        """With one more fused step where most bytes live; None where nothing helps there."""
        live = self.live(steps)
        if not live:
            return None
        best, least = None, _profile(live)
        highest = live.index(max(live))
        node = contract(self.graph, [step.fused for step in steps]).nodes[highest]
        for region in self.around(node, steps):
            step = self.smallest(region)
            if step is None:
                continue
            others = [s for s in steps if not s.fused.names & region.names]
            profile = _profile(self.live([*others, step]))
            if profile < least:
                best, least = [*others, step], profile
        return best

    def around(self, node: Node, steps: Sequence[Step]) -> list[Region]:
        """Regions in which a tensor that the node reads or writes is not stored whole. They hold
        a fused step as a whole or not at all."""
        found: dict[frozenset[str], Region] = {}
        for tensor in (*node.inputs, node.output):
            for region in self.regions_of(tensor):
                if all(
                    step.fused.names <= region.names or not step.fused.names & region.names
                    for step in steps
                ):
                    found.setdefault(region.names, region)
        return [region for region in found.values() if self.allows(region)]

    def regions_of(self, tensor: str) -> list[Region]:
        if tensor not in self.regions:
            self.regions[tensor] = list(grow_regions(self.graph, tensor))
        return self.regions[tensor]

    def smallest(self, region: Region) -> Step | None:
        """With the fewest units in a tile that kernels can work with."""
        tiles = tiles_of(self.graph, region)
        return self.step(region, tiles[0]) if tiles else None

    def step(self, region: Region, tile: int) -> Step:
        key = (region.names, tile)
        if key not in self.built:
            self.built[key] = build(self.graph, region, tile, self.select)
        return self.built[key]

    def needed(self, steps: list[Step]) -> list[Step]:
        """Without those that the highest step does not need."""
        most = max(self.live(steps), default=0)
        for step in reversed(steps):
            others = [other for other in steps if other is not step]
            if max(self.live(others), default=0) <= most:
                steps = others
        return steps

    def with_smaller_regions(self, steps: list[Step], most: int) -> list[Step]:
        """Less fused where that does with ``most`` bytes, too: neighbouring rows are what takes
        time, then the number of layers."""
        for i, step in enumerate(steps):
            inner = {
                region.names: region
                for tensor in sorted(step.fused.inner)
                for region in self.regions_of(tensor)
                if region.names < step.fused.names and self.allows(region)
            }
            for region in sorted(inner.values(), key=_effort):
                smaller = self.smallest(region)
                if smaller is None:
                    continue
                changed = [*steps[:i], smaller, *steps[i + 1 :]]
                if max(self.live(changed)) <= most:
                    steps = changed
                    break
        return steps

    def with_larger_tiles(self, steps: list[Step], most: int) -> list[Step]:
        """Tiles as large as there is room for in ``most`` bytes."""
        for i, step in enumerate(steps):
            region = _region(self.graph, step)
            for tile in reversed(tiles_of(self.graph, region)):
                wider = [*steps[:i], self.step(region, tile), *steps[i + 1 :]]
                if max(self.live(wider)) <= most:
                    steps = wider
                    break
        return steps


def tiles_of(graph: Graph, region: Region) -> list[int]:
    """Sizes of tiles, the smallest first, that divide the region's units."""
    units = units_of(graph, region)
    by_rows = region.window is not None
    fewest = FEWEST_ROWS if by_rows else FEWEST_POSITIONS
    most = MOST_ROWS if by_rows else MOST_POSITIONS
    divisors = [n for n in range(1, units // 2 + 1) if units % n == 0]
    fitting = [n for n in divisors if fewest <= n <= most]
    return fitting or divisors[-1:]


def _region(graph: Graph, step: Step) -> Region:
    fused = step.fused
    window = next((n for n in fused.nodes if fused.window and n.name == fused.window.node), None)
    return Region(fused.nodes, window, fused.nodes[: fused.leading])


def _effort(region: Region) -> tuple[bool, int, tuple[str, ...]]:
    return region.window is not None, len(region.nodes), tuple(sorted(region.names))


def _profile(live: Sequence[int]) -> tuple[int, ...]:
    """To compare plans by their highest step, then by the next."""
    return tuple(sorted(live, reverse=True))
