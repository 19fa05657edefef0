"""Kernels, fused steps and memory of a model: three choices that depend on each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tinyflow.codegen.c.fusion import Region, Select, Step, find_steps
from tinyflow.codegen.c.sources import Feature, Goal
from tinyflow.codegen.c.variants import (
    PORTABLE,
    Choices,
    Cost,
    Costs,
    Variant,
    choose_among,
    choose_variants,
    demands_of,
    leanest,
    list_options,
    variants_of,
)
from tinyflow.codegen.c.variants.candidates import Candidate, list_candidates
from tinyflow.codegen.schedule import Demands, Schedule, contract, make_schedule
from tinyflow.ir import Graph, Node
from tinyflow.targets.model import FlashProfile

MOST_SCRATCH = 8192
"""Bytes that a kernel may want for a tile, where another kernel needs fewer."""


@dataclass(frozen=True)
class Plan:
    """``choices`` by node; for a node of a fused step, the kernel of its tiles."""

    choices: Choices
    schedule: Schedule


@dataclass(frozen=True)
class _Request:
    graph: Graph
    features: frozenset[Feature]
    goal: Goal
    costs: Costs | None
    flash: FlashProfile | None
    arena_limit: int | None
    known: dict[Goal, dict[str, tuple[Candidate, ...]]] = field(default_factory=dict)

    def options_for(self, goal: Goal) -> dict[str, tuple[Candidate, ...]]:
        """The candidates of each layer on its own, which costs must be known for."""
        assert self.costs is not None
        if goal not in self.known:
            self.known[goal] = list_options(self.graph, self.features, goal, self.costs, self.flash)
        return self.known[goal]

    def choices(self) -> Choices:
        """Kernels of the layers on their own, as `choose_variants` chooses them."""
        if self.costs is None:
            return choose_variants(self.graph, self.features, self.goal)
        chosen = choose_among(self.graph, self.options_for, self.goal, self.flash, self.arena_limit)
        return {name: candidate.variant for name, candidate in chosen.items()}


def plan_model(
    graph: Graph,
    features: frozenset[Feature] = frozenset(),
    goal: Goal = Goal.BALANCED,
    costs: Costs | None = None,
    flash: FlashProfile | None = None,
    arena_limit: int | None = None,
) -> Plan:
    """A kernel for every node of a quantized graph, fused steps where they save memory, and a
    place for everything. The arguments are those of `choose_variants`.

    For speed, layers are fused that need no neighbouring rows: that costs hardly a cycle. Others
    are too where the arena would not stay within its limit.
    """
    request = _Request(graph, features, goal, costs, flash, arena_limit)
    choices = request.choices()
    apart = Plan(choices, make_schedule(graph, demands_of(graph, choices)))
    plan = _fuse(request, apart, _allows(goal))
    if goal is Goal.SPEED and plan.schedule.arena_bytes > (arena_limit or math.inf):
        plan = _fuse(request, apart, _allows(Goal.BALANCED))
    return plan


def _allows(goal: Goal) -> Callable[[Region], bool]:
    return lambda region: goal is not Goal.SPEED or region.window is None


def _fuse(request: _Request, apart: Plan, allows: Callable[[Region], bool]) -> Plan:
    graph = request.graph
    select = _selection(request, apart.choices)
    steps = find_steps(graph, _demands(request, apart.choices), select, allows)
    if not steps:
        return apart
    fused = [step.fused for step in steps]
    choices = {**_choose_others(request, apart.choices, steps)}
    for step in steps:
        choices.update(step.choices)
    rest = {
        node.name: choices[node.name].demand(graph, node)
        for node in contract(graph, fused).nodes
        if not any(node.name in each.names for each in fused)
    }
    schedule = make_schedule(graph, rest, fused)
    better = schedule.arena_bytes < apart.schedule.arena_bytes
    return Plan(choices, schedule) if better else apart


def _demands(request: _Request, choices: Choices) -> Demands:
    """Of the layers on their own: as lean as the goal allows."""
    if request.costs is None or request.goal is Goal.SPEED:
        return demands_of(request.graph, choices)
    options = request.options_for(request.goal)
    return {name: found.demand for name, found in leanest(request.graph, options).items()}


def _selection(request: _Request, choices: Choices) -> Select:
    """The fastest kernel that needs little memory; for size, the one that the whole layer has.
    Weights would have to be copied to RAM again for each tile."""

    def select(tiles: Graph, node: Node) -> Variant:
        variants = [
            variant
            for variant in variants_of(tiles, node, request.features, request.goal)
            if Feature.SLOW_FLASH not in variant.features
        ]
        if request.goal is Goal.SIZE:
            name = choices[node.name].name
            return next((v for v in variants if v.name == name), PORTABLE[node.op])
        lean = [v for v in variants if v.demand(tiles, node).scratch_bytes <= MOST_SCRATCH]
        if request.costs is None:
            return lean[0]
        return list_candidates(tiles, node, lean, request.costs, request.flash)[0].variant

    return select


def _choose_others(
    request: _Request, choices: Choices, steps: Sequence[Step]
) -> Mapping[str, Variant]:
    """Kernels of the layers that stay on their own, chosen again with the fused steps in view."""
    if request.costs is None:
        return choices
    graph, costs = request.graph, request.costs

    def options_for(goal: Goal) -> dict[str, tuple[Candidate, ...]]:
        found = dict(request.options_for(goal))
        for step in steps:
            for node in step.fused.nodes:
                del found[node.name]
            found[step.fused.name] = (_candidate(graph, step, costs, request.flash),)
        return found

    contracted = contract(graph, [step.fused for step in steps])
    chosen = choose_among(contracted, options_for, request.goal, request.flash, request.arena_limit)
    return {name: candidate.variant for name, candidate in chosen.items()}


def _candidate(graph: Graph, step: Step, costs: Costs, flash: FlashProfile | None) -> Candidate:
    """A fused step as the only candidate of the node that it is contracted to; it costs what its
    layers cost."""
    found = [costs(graph, node, step.choices[node.name]) or Cost(0) for node in step.fused.nodes]
    cost = Cost(
        sum(c.cycles for c in found),
        sum(c.flash_loads for c in found),
        sum(c.cache_misses for c in found),
        sum(c.own_bytes for c in found),
        sum(c.shared_bytes for c in found),
    )
    last = step.choices[step.fused.name]
    variant = Variant(f"fused, {step.fused.name}", last.op, last.bind)
    return Candidate(variant, cost, cost.waited(flash), step.fused.demand)
