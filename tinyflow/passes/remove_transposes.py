"""Removes TRANSPOSE nodes: importers put them around layers that want images channels-last."""

from __future__ import annotations

from collections.abc import Callable

from tinyflow.ir import Graph, Op
from tinyflow.passes.transposes.boundary import absorb_at_boundary
from tinyflow.passes.transposes.chains import merge_chains, perm_of
from tinyflow.passes.transposes.flatten import flatten_in_any_order
from tinyflow.passes.transposes.move_region import move_regions
from tinyflow.passes.transposes.names import reclaim_names
from tinyflow.passes.transposes.regions import Cost, best_layout, find_regions
from tinyflow.passes.transposes.relayout import ANY_LAYOUT, LAST_AXIS
from tinyflow.passes.transposes.sinking import sink_moves
from tinyflow.passes.views.moves import MOST_AXES

Step = Callable[[Graph], tuple[Graph, bool]]


def remove_transposes(graph: Graph) -> tuple[Graph, bool]:
    """Afterwards no TRANSPOSE is left that another order of axes would save.

    Needs a graph without integer forms. Pairs cancel; layers that take their axes in any order
    follow their neighbours, their constants with them; those that only move axes of one element
    become a RESHAPE; weights behind a flattening follow the new order; what is left at an input or
    output goes into `Graph.layouts`.
    """
    if graph.is_quantized:
        return graph, False
    changed = False
    while True:
        graph, done = _one_round(graph)
        if not done:
            break
        changed = True
    graph, renamed = reclaim_names(graph)
    return graph, changed or renamed


def _one_round(graph: Graph) -> tuple[Graph, bool]:
    changed = False
    for step in _STEPS:
        graph, done = step(graph)
        changed |= done
    return graph, changed


def _settle(graph: Graph) -> tuple[Graph, bool]:
    """What never costs anything, until nothing of it is left to do."""
    changed = False
    while True:
        graph, merged = merge_chains(graph)
        graph, absorbed = absorb_at_boundary(graph)
        if not (merged or absorbed):
            return graph, changed
        changed = True


def _exhaust(step: Step) -> Step:
    def run(graph: Graph) -> tuple[Graph, bool]:
        changed = False
        while True:
            graph, done = step(graph)
            if not done:
                return graph, changed
            changed = True

    return run


def _follow_neighbours(graph: Graph) -> tuple[Graph, bool]:
    """Regions of layers that take any order of axes take the one that saves most."""
    for ops in (ANY_LAYOUT, ANY_LAYOUT | LAST_AXIS):
        moves = [
            (region, layout)
            for region in find_regions(graph, ops)
            if (layout := best_layout(graph, region)) is not None
        ]
        # The estimate looks at one region at a time; what counts is the whole graph.
        for attempt in (moves, *([move] for move in moves if len(moves) > 1)):
            moved, _ = _settle(move_regions(graph, attempt))
            if cost(moved) < cost(graph):
                return moved, True
    return graph, False


def _sink(graph: Graph) -> tuple[Graph, bool]:
    """Lets moves sink as far as they can, if that pays once they have met what is below."""
    sunk, changed = sink_moves(graph)
    if not changed:
        return graph, False
    for step in _AFTER_SINKING:
        sunk, _ = step(sunk)
    return (sunk, True) if cost(sunk) < cost(graph) else (graph, False)


def cost(graph: Graph) -> Cost:
    """Elements that TRANSPOSEs move at run time, then the number of TRANSPOSEs and RESHAPEs.

    Every step lowers it or leaves it and moves a TRANSPOSE down, so the rounds end. A TRANSPOSE
    of more axes than kernels see counts as one between two RESHAPEs that lower its rank.
    """
    moving = [node for node in graph.nodes if node.op is Op.TRANSPOSE]
    reshapes = sum(node.op is Op.RESHAPE for node in graph.nodes)
    wide = sum(len(perm_of(node)) > MOST_AXES for node in moving)
    elements = sum(graph.result(node).elements for node in moving)
    return elements, len(moving) + reshapes + 2 * wide


_AFTER_SINKING: tuple[Step, ...] = (
    _settle,
    _exhaust(flatten_in_any_order),
    _exhaust(_follow_neighbours),
    _settle,
)

_STEPS: tuple[Step, ...] = (
    _settle,
    _sink,
    _exhaust(flatten_in_any_order),
    _exhaust(_follow_neighbours),
    _settle,
)
