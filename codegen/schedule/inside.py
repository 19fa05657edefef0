"""Where the tiles of a fused step lie in its working memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from tinyflow.codegen.schedule.alignment import align
from tinyflow.codegen.schedule.demand import Demands
from tinyflow.codegen.schedule.lifetimes import Buffer, find_buffers
from tinyflow.codegen.schedule.placement import Placement
from tinyflow.codegen.schedule.planner import plan_arena
from tinyflow.codegen.schedule.schedule import rows_of
from tinyflow.ir import Graph


@dataclass(frozen=True)
class Inside:
    """Places by tensor and by node, offsets from the start of ``nbytes`` of working memory."""

    places: Mapping[str, Placement]
    scratch: Mapping[str, Placement]
    nbytes: int


def plan_inside(tiles: Graph, demands: Demands, outside: Collection[str]) -> Inside:
    """Places for what the nodes of a tile compute, and for their kernels' working memory.

    Tensors ``outside`` have places elsewhere. The graph's other inputs and outputs are kept from
    tile to tile. No kernel's rows fall.
    """
    rising = {
        name: replace(demand, overlap=replace(demand.overlap, falling=None))
        if demand.overlap is not None
        else demand
        for name, demand in demands.items()
    }
    copied = {node.name for node in tiles.nodes}
    buffers = _without(find_buffers(tiles, tiles.nodes, rising, copied), outside)
    plan = plan_arena(buffers)
    places, scratch = {}, {}
    for buffer, offset in zip(buffers, plan.offsets, strict=True):
        if buffer.scratch_of is not None:
            name = buffer.scratch_of
            scratch[name] = Placement(name, offset, buffer.nbytes, 1, buffer.first, buffer.last)
            continue
        for life in buffer.tensors:
            tensor = tiles.tensors[life.tensor]
            places[life.tensor] = Placement(
                life.tensor, offset, tensor.nbytes, rows_of(tensor.shape), life.first, life.last
            )
    return Inside(places, scratch, align(plan.nbytes))


def _without(buffers: Sequence[Buffer], outside: Collection[str]) -> list[Buffer]:
    """The buffers of what is left; no two meet of which one is not."""
    kept = {}
    for i, buffer in enumerate(buffers):
        lives = [life for life in buffer.tensors if life.tensor not in outside]
        if lives:
            kept[i] = replace(buffer, tensors=lives)
    place = {old: new for new, old in enumerate(kept)}
    for i, buffer in kept.items():
        if (meeting := buffer.meets) is None:
            continue
        stays = buffers[i].tensors[0] is buffer.tensors[0] and meeting.operand not in outside
        buffer.meets = replace(meeting, buffer=place[meeting.buffer]) if stays else None
    return list(kept.values())
