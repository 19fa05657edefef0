"""From a graph to its schedule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from tinyflow.codegen.schedule.alignment import align
from tinyflow.codegen.schedule.conflicts import lower_bound
from tinyflow.codegen.schedule.fused import Fused, contract, expand
from tinyflow.codegen.schedule.lifetimes import Buffer, Lifetime, Meeting, find_buffers
from tinyflow.codegen.schedule.order import find_order
from tinyflow.codegen.schedule.planner import Plan, plan_arena
from tinyflow.codegen.schedule.schedule import (
    Axis,
    Demands,
    Placement,
    Schedule,
    Step,
    rows_of,
)
from tinyflow.codegen.schedule.views import find_pieces, find_view
from tinyflow.ir import Graph, Node, Op

_AXIS_OF_RANK = {3: Axis.TOKENS, 4: Axis.ROWS}
_WHOLE = frozenset({Op.CROSS_COVARIANCE, Op.MEAN, Op.RESHAPE, Op.TRANSPOSE})
"""Operations whose first row of output needs every row of their input."""


MOST_COPIES = 8
"""Views of which a plan is made without them."""


def make_schedule(
    graph: Graph, demands: Demands | None = None, fused: Sequence[Fused] = ()
) -> Schedule:
    """The order of the steps and a place in the arena for every activation, and for what the
    chosen kernels ask beside them.

    The schedule's graph is ``graph`` with its nodes in the order of the steps: theirs, or
    another one that needs a smaller arena. The nodes of each of ``fused`` are one step, whose
    demand is its own; what flows between them has no place.
    """
    demands = {**(demands or {}), **{step.name: step.demand for step in fused}}
    whole, graph = graph, contract(graph, fused)
    buffers, plan = _plan(graph, graph.nodes, demands)
    order = find_order(graph, demands)
    if order != graph.nodes:
        other, other_plan = _plan(graph, order, demands)
        if align(other_plan.nbytes) < align(plan.nbytes):
            graph, buffers, plan = replace(graph, nodes=order), other, other_plan
    placements = _placements(graph, buffers, plan)
    falling = _falling_steps(buffers, placements)
    by_name = {step.name: step for step in fused}
    return Schedule(
        graph=expand(whole, graph, fused),
        steps=tuple(
            _fused_step(i, by_name[node.name])
            if node.name in by_name
            else _make_step(graph, i, node, i in falling)
            for i, node in enumerate(graph.nodes)
        ),
        placements=placements,
        arena_bytes=align(plan.nbytes),
        lower_bound_bytes=lower_bound(buffers),
        scratch=_scratch(buffers, plan),
    )


def _plan(graph: Graph, order: Sequence[Node], demands: Demands) -> tuple[list[Buffer], Plan]:
    """A slice that is a view keeps all of its operand from being overwritten, and pieces of a
    result cannot lie over what they are computed from: each is copied where that lowers the bound
    of the arena, and the arena itself."""
    copied: frozenset[str] = frozenset()
    buffers = find_buffers(graph, order, demands)
    plan = plan_arena(buffers)
    movable = [node.name for node in order if _may_move(graph, node)]
    for name in movable[:MOST_COPIES]:
        others = find_buffers(graph, order, demands, copied | {name})
        if lower_bound(others) >= lower_bound(buffers):
            continue
        other = plan_arena(others)
        if align(other.nbytes) < align(plan.nbytes):
            copied, buffers, plan = copied | {name}, others, other
    return buffers, plan


def _may_move(graph: Graph, node: Node) -> bool:
    """Whether a node is free to copy what it need not."""
    if node.op is Op.SLICE:
        return find_view(graph, node) is not None
    return any(begin is not None for begin in find_pieces(graph, node))


def _make_step(graph: Graph, index: int, node: Node, falling: bool) -> Step:
    shape = graph.result(node).shape
    axis = Axis.WHOLE if node.op in _WHOLE else _AXIS_OF_RANK.get(len(shape), Axis.WHOLE)
    return Step(index, (node,), axis, 1 if falling else rows_of(shape), falling)


def _fused_step(index: int, fused: Fused) -> Step:
    axis = Axis.TOKENS if fused.window is None else Axis.ROWS
    return Step(index, fused.nodes, axis, fused.tile, fused=fused)


def _placements(graph: Graph, buffers: list[Buffer], plan: Plan) -> dict[str, Placement]:
    placements: dict[str, Placement] = {}
    for buffer, offset in zip(buffers, plan.offsets, strict=True):
        if buffer.scratch_of is not None:
            continue
        for life in buffer.tensors:
            tensor = graph.tensors[life.tensor]
            placements[life.tensor] = Placement(
                tensor=life.tensor,
                offset=offset + life.shift,
                nbytes=tensor.nbytes,
                ring=rows_of(tensor.shape),
                first_step=life.first,
                last_step=life.last,
                alias_of=life.alias_of,
            )
    for first, meeting in _meetings(buffers):
        result, operand = placements[first.tensor], placements[meeting.operand]
        if result.offset < operand.end and operand.offset < result.end:
            placements[first.tensor] = replace(result, overlaps=meeting.operand)
    return placements


def _meetings(buffers: list[Buffer]) -> Iterator[tuple[Lifetime, Meeting]]:
    return ((b.tensors[0], b.meets) for b in buffers if b.meets is not None)


def _falling_steps(buffers: list[Buffer], placements: Mapping[str, Placement]) -> frozenset[int]:
    """The steps whose result overlaps their operand in a way that rising rows do not allow."""
    return frozenset(
        first.first
        for first, meeting in _meetings(buffers)
        if placements[first.tensor].overlaps is not None
        and placements[meeting.operand].offset - placements[first.tensor].offset
        < meeting.overlap.rising
    )


def _scratch(buffers: list[Buffer], plan: Plan) -> dict[str, Placement]:
    return {
        name: Placement(name, offset, buffer.nbytes, 1, buffer.first, buffer.last)
        for buffer, offset in zip(buffers, plan.offsets, strict=True)
        if (name := buffer.scratch_of) is not None
    }
