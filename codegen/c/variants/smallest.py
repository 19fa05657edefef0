"""The fewest bytes in flash that a number of cycles allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from tinyflow.codegen.c.variants.candidates import Candidate
from tinyflow.codegen.c.variants.shape import shape_key
from tinyflow.ir import Graph

Chosen = dict[str, Candidate]


@dataclass(frozen=True)
class _Option:
    """One variant for all layers of a group. ``nbytes`` counts code that these share once."""

    chosen: Chosen

    @property
    def cycles(self) -> int:
        return sum(candidate.cycles for candidate in self.chosen.values())

    @property
    def nbytes(self) -> int:
        costs = [candidate.cost for candidate in self.chosen.values()]
        return sum(c.own_bytes for c in costs) + max(c.shared_bytes for c in costs)


def choose_smallest(
    graph: Graph, options: Mapping[str, Sequence[Candidate]], most_cycles: int
) -> Chosen:
    """Layers of one shape get the same variant: first that of fewest bytes. While all together
    take more than ``most_cycles``, and some shape can be faster, that one changes which gains
    most cycles for a byte."""
    groups = _groups(graph, options)
    now = [min(group, key=lambda option: (option.nbytes, option.cycles)) for group in groups]
    while sum(option.cycles for option in now) > most_cycles:
        moves = [
            (_worth(now[i], option), i, option)
            for i, group in enumerate(groups)
            for option in group
            if option.cycles < now[i].cycles
        ]
        if not moves:
            break
        _, i, option = max(moves, key=lambda move: move[0])
        now[i] = option
    return {name: candidate for option in now for name, candidate in option.chosen.items()}


def _worth(now: _Option, then: _Option) -> Fraction:
    """Cycles saved for each byte that is added: none can be fewer, or it would have been taken."""
    return Fraction(now.cycles - then.cycles, max(then.nbytes - now.nbytes, 1))


def _groups(graph: Graph, options: Mapping[str, Sequence[Candidate]]) -> list[list[_Option]]:
    """Layers of one shape, and with the same variants, may all have any of these."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for node in graph.nodes:
        names = sorted(candidate.variant.name for candidate in options[node.name])
        groups.setdefault((shape_key(graph, node), *names), []).append(node.name)
    return [
        [
            _Option({n: next(c for c in options[n] if c.variant.name == name) for n in members})
            for name in names
        ]
        for (_, *names), members in groups.items()
    ]
