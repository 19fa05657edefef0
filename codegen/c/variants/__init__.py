"""Which kernel computes each layer.

Every operation has a portable kernel. Cores with more instructions have further variants. Among
those that fit the core, the goal and the layer, costs decide: `tinyflow.codegen.c.variants.choose`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tinyflow.codegen.c.dsp import add, conv2d, conv2d_line, depthwise, pointwise, winograd, words
from tinyflow.codegen.c.neon import VARIANTS as NEON_VARIANTS
from tinyflow.codegen.c.ops import BINDINGS, rows
from tinyflow.codegen.c.sources import Feature, Goal
from tinyflow.codegen.c.thumb1 import conv2d as thumb1_conv2d
from tinyflow.codegen.c.thumb1 import pointwise as thumb1_pointwise
from tinyflow.codegen.c.variants.candidates import Candidate, list_candidates
from tinyflow.codegen.c.variants.choose import (
    BALANCED_ARENA,
    BALANCED_ARENA_SLOW_FLASH,
    choose,
    leanest,
)
from tinyflow.codegen.c.variants.cost import Cost, Costs
from tinyflow.codegen.c.variants.staged import staged
from tinyflow.codegen.c.variants.table import table_for
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.codegen.schedule import Demands
from tinyflow.ir import Graph, Node, Op
from tinyflow.targets.model import FlashProfile

Choices = Mapping[str, Variant]
"""The variant of each node, by the node's name."""

PORTABLE: dict[Op, Variant] = {
    op: Variant("portable", op, bind, demand=rows.demand) for op, bind in BINDINGS.items()
}

_PRODUCTS = (
    *pointwise.VARIANTS,
    conv2d_line.LINE,
    winograd.WINOGRAD,
    conv2d.RING,
    conv2d.GROUPED_RING,
)
"""Kernels that read their weights again for every few pixels."""

SPECIALIZED: tuple[Variant, ...] = (
    add.ADD,
    add.SUB,
    *map(staged, _PRODUCTS),
    *_PRODUCTS,
    *depthwise.VARIANTS,
    *words.VARIANTS,
    *thumb1_pointwise.VARIANTS,
    thumb1_conv2d.CONV_2D,
    *NEON_VARIANTS,
)
"""Variants for some cores and layers, the best ones first."""


def variants_of(
    graph: Graph, node: Node, features: frozenset[Feature], goal: Goal
) -> list[Variant]:
    """The variants that can compute a node, the best one first, the portable one last."""
    fitting = [
        variant
        for variant in SPECIALIZED
        if variant.op is node.op
        and variant.features <= features
        and goal in variant.goals
        and variant.applies(graph, node)
    ]
    return [*fitting, PORTABLE[node.op]]


def choose_variants(
    graph: Graph,
    features: frozenset[Feature] = frozenset(),
    goal: Goal = Goal.BALANCED,
    costs: Costs | None = None,
    flash: FlashProfile | None = None,
    arena_limit: int | None = None,
) -> Choices:
    """One variant for every node of a quantized graph.

    Without ``costs`` it is the first one of the list. With them, it is what the goal makes of
    them, cycles being counted with the waits of ``flash``, and within ``arena_limit`` bytes of
    arena if that can be.
    """
    if costs is None:
        return {node.name: variants_of(graph, node, features, goal)[0] for node in graph.nodes}

    def options_for(goal: Goal) -> dict[str, tuple[Candidate, ...]]:
        return list_options(graph, features, goal, costs, flash)

    chosen = choose_among(graph, options_for, goal, flash, arena_limit)
    return {name: candidate.variant for name, candidate in chosen.items()}


def list_options(
    graph: Graph,
    features: frozenset[Feature],
    goal: Goal,
    costs: Costs,
    flash: FlashProfile | None = None,
) -> dict[str, tuple[Candidate, ...]]:
    """The candidates of each node for a goal, the fastest first."""
    return {
        node.name: list_candidates(
            graph, node, variants_of(graph, node, features, goal), costs, flash
        )
        for node in graph.nodes
    }


def choose_among(
    graph: Graph,
    options_for: Callable[[Goal], dict[str, tuple[Candidate, ...]]],
    goal: Goal,
    flash: FlashProfile | None,
    arena_limit: int | None,
) -> dict[str, Candidate]:
    """What a goal makes of the candidates that each goal has for each node."""
    fewest = None
    if goal is Goal.SIZE:
        fewest = sum(entries[0].cycles for entries in options_for(Goal.SPEED).values())
    share = BALANCED_ARENA if flash is None else BALANCED_ARENA_SLOW_FLASH
    return choose(graph, options_for(goal), goal, arena_limit, share, fewest)


def demands_of(graph: Graph, choices: Choices) -> Demands:
    """What the chosen kernels ask of the memory plan; a node without a choice gets its portable
    kernel."""
    return {
        node.name: choices.get(node.name, PORTABLE[node.op]).demand(graph, node)
        for node in graph.nodes
    }


__all__ = [
    "PORTABLE",
    "SPECIALIZED",
    "Choices",
    "Cost",
    "Costs",
    "Variant",
    "choose_among",
    "choose_variants",
    "demands_of",
    "leanest",
    "list_options",
    "table_for",
    "variants_of",
]
