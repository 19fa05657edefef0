"""Which kernel computes each layer.

Every operation has a portable kernel. Cores with more instructions have further variants, and a
layer gets the first one of its list that fits the core, the goal and the layer itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from tinyflow.codegen.c.dsp import add, conv2d, depthwise, pointwise
from tinyflow.codegen.c.ops import BINDINGS
from tinyflow.codegen.c.sources import Feature, Goal
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.codegen.schedule import Demands
from tinyflow.ir import Graph, Node, Op

Choices = Mapping[str, Variant]
"""The variant of each node, by the node's name."""

PORTABLE: dict[Op, Variant] = {op: Variant("portable", op, bind) for op, bind in BINDINGS.items()}

SPECIALIZED: tuple[Variant, ...] = (
    add.ADD,
    add.SUB,
    *pointwise.VARIANTS,
    conv2d.RING,
    depthwise.SPEED,
    depthwise.BALANCED,
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
    graph: Graph, features: frozenset[Feature] = frozenset(), goal: Goal = Goal.BALANCED
) -> Choices:
    """One variant for every node of a quantized graph."""
    return {node.name: variants_of(graph, node, features, goal)[0] for node in graph.nodes}


def demands_of(graph: Graph, choices: Choices) -> Demands:
    """What the chosen kernels ask of the memory plan."""
    return {node.name: choices[node.name].demand(graph, node) for node in graph.nodes}


__all__ = [
    "PORTABLE",
    "SPECIALIZED",
    "Choices",
    "Variant",
    "choose_variants",
    "demands_of",
    "variants_of",
]
