"""One variant for every layer, by what each costs and what the model as a whole may need.

- speed: the fastest of each layer.
- balanced: the same, but the arena may be at most a tenth larger than the leanest choice makes
  it (half as large again where flash makes loads wait), of variants that take at most twice the
  cycles of a layer's fastest. Where it would be, the layers that live in the overfull steps
  change to variants that need less, those first that lose the fewest cycles for each byte.
- size: the fewest bytes of code, weights and tables at no more than twice the cycles of the
  goal speed, among variants with weights of one byte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from tinyflow.codegen.c.sources import Goal
from tinyflow.codegen.c.variants.candidates import Candidate
from tinyflow.codegen.c.variants.smallest import choose_smallest
from tinyflow.codegen.schedule import Demands, live_bytes, make_schedule
from tinyflow.ir import Graph

BALANCED_ARENA = Fraction(11, 10)
"""The arena of the balanced goal, over the smallest."""

BALANCED_ARENA_SLOW_FLASH = Fraction(3, 2)
"""The same where flash makes loads wait: there, room for copies of weights saves most."""

BALANCED_CYCLES = 2
"""The cycles of a layer that the balanced goal may spend on a smaller arena, over the fewest."""

SIZE_CYCLES = Fraction(17, 10)
"""The cycles of the size goal, over those of speed. Twice as many may be: the rest is for what
compiling for size costs, since costs are those of code compiled for balance."""

_ROUNDS = 6
"""Tries to make up for an arena that cannot be packed as tightly as its fullest step."""

Options = Mapping[str, Sequence[Candidate]]
"""The candidates of each node by its name, the fastest first."""
Chosen = dict[str, Candidate]


def choose(
    graph: Graph,
    options: Options,
    goal: Goal,
    arena_limit: int | None = None,
    arena_share: Fraction = BALANCED_ARENA,
    fewest_cycles: int | None = None,
) -> Chosen:
    """One candidate for every node. ``arena_limit`` are bytes that the arena must stay within,
    whatever the goal, if any choice can. ``arena_share`` is the arena of the balanced goal over
    the smallest; ``fewest_cycles`` are those of the goal speed, where its variants are not all
    among the options."""
    problem = _Problem(graph, options, arena_share)
    if goal is Goal.SIZE:
        return _choose_size(problem, arena_limit, fewest_cycles)
    return _CHOOSERS[goal](problem, arena_limit)


def leanest(graph: Graph, options: Options) -> Chosen:
    """What needs the least memory, step by step, among what is quick enough for the balanced
    goal."""
    return _Problem(graph, options, BALANCED_ARENA).within_cycles(BALANCED_CYCLES).leanest()


@dataclass(frozen=True)
class _Problem:
    graph: Graph
    options: Options
    arena_share: Fraction

    def best(self, rank: Callable[[Candidate], int]) -> Chosen:
        """The candidate of least rank for each node, the faster one where two are equal."""
        return {name: min(entries, key=rank) for name, entries in self.options.items()}

    def fastest(self) -> Chosen:
        return self.best(lambda candidate: candidate.cycles)

    def within_cycles(self, factor: int) -> _Problem:
        """Without candidates that take more than ``factor`` times the cycles of the fastest."""
        return _Problem(
            self.graph,
            {
                name: [c for c in entries if c.cycles <= factor * entries[0].cycles]
                for name, entries in self.options.items()
            },
            self.arena_share,
        )

    def live(self, chosen: Chosen) -> list[int]:
        return live_bytes(self.graph, self.graph.nodes, _demands(chosen))

    def arena(self, chosen: Chosen) -> int:
        return make_schedule(self.graph, _demands(chosen)).arena_bytes

    def leanest(self) -> Chosen:
        """What needs the least memory, step by step, of what was tried."""
        sizes = {
            node.name: (self.graph.operands(node)[0].nbytes, self.graph.result(node).nbytes)
            for node in self.graph.nodes
        }
        lean = {
            name: min(entries, key=lambda c: c.demand.room(*sizes[name]))
            for name, entries in self.options.items()
        }
        plain = self.best(lambda c: c.demand.scratch_bytes > 0)
        tried = [lean, plain, self.fastest()]
        return min(tried, key=lambda chosen: max(self.live(chosen), default=0))


def _demands(chosen: Chosen) -> Demands:
    return {name: candidate.demand for name, candidate in chosen.items()}


def _choose_speed(problem: _Problem, arena_limit: int | None) -> Chosen:
    chosen = problem.fastest()
    return chosen if arena_limit is None else _within(problem, chosen, arena_limit)


def _choose_balanced(problem: _Problem, arena_limit: int | None) -> Chosen:
    quick = problem.within_cycles(BALANCED_CYCLES)
    limit = int(quick.arena(quick.leanest()) * problem.arena_share)
    chosen = _within(quick, quick.fastest(), limit)
    if arena_limit is None or quick.arena(chosen) <= arena_limit:
        return chosen
    return _within(problem, chosen, arena_limit)


def _choose_size(problem: _Problem, arena_limit: int | None, fewest_cycles: int | None) -> Chosen:
    if fewest_cycles is None:
        fewest_cycles = sum(c.cycles for c in problem.fastest().values())
    most = int(SIZE_CYCLES * fewest_cycles)
    chosen = choose_smallest(problem.graph, problem.options, most)
    return chosen if arena_limit is None else _within(problem, chosen, arena_limit)


def _within(problem: _Problem, start: Chosen, limit: int) -> Chosen:
    """Changes ``start`` until the arena is within ``limit``; the smallest one found if none is."""
    best, least, target = start, problem.arena(start), limit
    for _ in range(_ROUNDS):
        if least <= limit:
            break
        chosen = _lower(problem, start, target)
        arena = problem.arena(chosen)
        if arena < least:
            best, least = chosen, arena
        # A plan may have gaps; then its steps must need less than the limit.
        target -= max(arena - limit, 1)
    return best


def _lower(problem: _Problem, start: Chosen, limit: int) -> Chosen:
    """Takes bytes out of the steps above ``limit``, for the fewest cycles a byte."""
    chosen = dict(start)
    excess = _excess(problem.live(chosen), limit)
    while excess > 0:
        best: tuple[Fraction, str, Candidate, int] | None = None
        for name, entries in problem.options.items():
            for candidate in entries:
                if candidate.demand == chosen[name].demand:
                    continue
                left = _excess(problem.live({**chosen, name: candidate}), limit)
                if left >= excess:
                    continue
                price = Fraction(candidate.cycles - chosen[name].cycles, excess - left)
                if best is None or price < best[0]:
                    best = (price, name, candidate, left)
        if best is None:
            break
        _, name, candidate, excess = best
        chosen[name] = candidate
    return chosen


def _excess(live: Sequence[int], limit: int) -> int:
    return sum(max(nbytes - limit, 0) for nbytes in live)


_CHOOSERS: Mapping[Goal, Callable[[_Problem, int | None], Chosen]] = {
    Goal.SPEED: _choose_speed,
    Goal.BALANCED: _choose_balanced,
}
