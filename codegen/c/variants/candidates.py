"""The variants among which a layer may choose, each with its cost and its demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyflow.codegen.c.variants.cost import Cost, Costs
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.codegen.schedule import Demand
from tinyflow.ir import Graph, Node
from tinyflow.targets.model import FlashProfile


@dataclass(frozen=True)
class Candidate:
    """``cycles`` are those by which variants are ranked: with the waits of flash where they are
    known."""

    variant: Variant
    cost: Cost
    cycles: int
    demand: Demand


def list_candidates(
    graph: Graph,
    node: Node,
    variants: Sequence[Variant],
    costs: Costs,
    flash: FlashProfile | None = None,
) -> tuple[Candidate, ...]:
    """The fastest one first; of equal ones, that which comes first in ``variants``.

    A variant of which no cost is known is taken for as fast as the fastest one that follows it:
    then the order of ``variants`` stands.
    """
    found: list[Candidate] = []
    for variant in reversed(variants):
        cost = costs(graph, node, variant)
        if cost is None:
            cost = min((c.cost for c in found), key=lambda c: c.waited(flash), default=Cost(0))
        demand = variant.demand(graph, node)
        found.insert(0, Candidate(variant, cost, cost.waited(flash), demand))
    return tuple(sorted(found, key=lambda candidate: candidate.cycles))
