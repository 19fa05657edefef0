"""One way to compute a layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tinyflow.codegen.c.layer import KernelCall, Layer
from tinyflow.codegen.c.sources import Feature, Goal
from tinyflow.codegen.schedule import Demand
from tinyflow.ir import Graph, Node, Op

_NOTHING = Demand()


def always(graph: Graph, node: Node) -> bool:
    return True


def nothing(graph: Graph, node: Node) -> Demand:
    return _NOTHING


@dataclass(frozen=True)
class Variant:
    """A kernel for one operation, and where it can be used.

    ``features`` are what the core must have. ``applies(graph, node)`` says whether the kernel
    computes this layer to the last bit; ``demand(graph, node)`` what it asks of the memory plan;
    ``bind(layer)`` lists the calls. ``goals`` are the goals for which it is worth its bytes.
    """

    name: str
    op: Op
    bind: Callable[[Layer], list[KernelCall]]
    features: frozenset[Feature] = frozenset()
    applies: Callable[[Graph, Node], bool] = always
    demand: Callable[[Graph, Node], Demand] = nothing
    goals: frozenset[Goal] = field(default_factory=lambda: frozenset(Goal))
