"""From a graph to its schedule."""

from __future__ import annotations

from dataclasses import replace

from tinyflow.codegen.schedule.lifetimes import Buffer, find_buffers
from tinyflow.codegen.schedule.order import find_order
from tinyflow.codegen.schedule.planner import Plan, lower_bound, plan_arena
from tinyflow.codegen.schedule.schedule import (
    Axis,
    Demands,
    Placement,
    Schedule,
    Step,
    align,
    rows_of,
)
from tinyflow.ir import Graph, Node, Op

_AXIS_OF_RANK = {3: Axis.TOKENS, 4: Axis.ROWS}
_WHOLE = frozenset({Op.MEAN, Op.RESHAPE, Op.TRANSPOSE})
"""Operations whose first row of output needs every row of their input."""


def make_schedule(graph: Graph, demands: Demands | None = None) -> Schedule:
    """The order of the steps and a place in the arena for every activation, and for what the
    chosen kernels ask beside them.

    The schedule's graph is ``graph`` with its nodes in the order of the steps: theirs, or
    another one that needs a smaller arena.
    """
    demands = demands or {}
    buffers = find_buffers(graph, graph.nodes, demands)
    plan = plan_arena(buffers)
    order = find_order(graph)
    if order != graph.nodes:
        other = find_buffers(graph, order, demands)
        other_plan = plan_arena(other)
        if align(other_plan.nbytes) < align(plan.nbytes):
            graph, buffers, plan = replace(graph, nodes=order), other, other_plan
    return Schedule(
        graph=graph,
        steps=tuple(_make_step(graph, i, node) for i, node in enumerate(graph.nodes)),
        placements=_placements(graph, buffers, plan),
        arena_bytes=align(plan.nbytes),
        lower_bound_bytes=lower_bound(buffers),
        scratch=_scratch(buffers, plan),
    )


def _make_step(graph: Graph, index: int, node: Node) -> Step:
    shape = graph.result(node).shape
    axis = Axis.WHOLE if node.op in _WHOLE else _AXIS_OF_RANK.get(len(shape), Axis.WHOLE)
    return Step(index, (node,), axis, rows_of(shape))


def _placements(graph: Graph, buffers: list[Buffer], plan: Plan) -> dict[str, Placement]:
    placements = {}
    for buffer, offset in zip(buffers, plan.offsets, strict=True):
        if buffer.scratch_of is not None:
            continue
        for life in buffer.tensors:
            tensor = graph.tensors[life.tensor]
            placements[life.tensor] = Placement(
                tensor=life.tensor,
                offset=offset,
                nbytes=tensor.nbytes,
                ring=rows_of(tensor.shape),
                first_step=life.first,
                last_step=life.last,
                alias_of=life.alias_of,
            )
    return placements


def _scratch(buffers: list[Buffer], plan: Plan) -> dict[str, Placement]:
    return {
        name: Placement(name, offset, buffer.nbytes, 1, buffer.first, buffer.last)
        for buffer, offset in zip(buffers, plan.offsets, strict=True)
        if (name := buffer.scratch_of) is not None
    }
