"""Removes TRANSPOSE nodes: importers put them around layers that want images channels-last."""

from __future__ import annotations

from collections.abc import Callable

from tinyflow.ir import Graph, Op
from tinyflow.passes.transposes.axes import Layout
from tinyflow.passes.transposes.boundary import absorb_at_boundary
from tinyflow.passes.transposes.chains import merge_chains
from tinyflow.passes.transposes.collapse import collapse_axes
from tinyflow.passes.transposes.flatten import flatten_in_any_order
from tinyflow.passes.transposes.move_region import move_regions
from tinyflow.passes.transposes.names import reclaim_names
from tinyflow.passes.transposes.regions import Cost, Region, best_layout, find_regions
from tinyflow.passes.transposes.relayout import ANY_LAYOUT, LAST_AXIS
from tinyflow.passes.transposes.sink import sink_below_means, sink_below_reshapes

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
        # The estimate looks at one region at a time. What counts is the whole graph, and only a
        # graph that costs less is taken: this is why the rounds end.
        for attempt in (moves, *([move] for move in moves if len(moves) > 1)):
            better = _attempt(graph, attempt)
            if better is not None:
                return better, True
    return graph, False


def _attempt(graph: Graph, moves: list[tuple[Region, Layout]]) -> Graph | None:
    if not moves:
        return None
    moved, _ = _settle(move_regions(graph, moves))
    return moved if cost(moved) < cost(graph) else None


def cost(graph: Graph) -> Cost:
    """Elements that TRANSPOSEs move at run time, then the number of TRANSPOSEs and RESHAPEs."""
    moving = [node for node in graph.nodes if node.op is Op.TRANSPOSE]
    reshapes = sum(node.op is Op.RESHAPE for node in graph.nodes)
    elements = sum(graph.result(node).elements for node in moving)
    return elements, len(moving) + reshapes


_STEPS: tuple[Step, ...] = (
    _settle,
    _exhaust(sink_below_means),
    _exhaust(sink_below_reshapes),
    _settle,
    _exhaust(flatten_in_any_order),
    _exhaust(_follow_neighbours),
    collapse_axes,
    _settle,
)
