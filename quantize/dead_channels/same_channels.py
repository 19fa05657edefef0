"""Operations whose output channel ``c`` is made from channel ``c`` of every operand."""

from __future__ import annotations

from typing import Any

from tinyflow.ir import Op, Tensor
from tinyflow.quantize.dead_channels.place import Mask, NewNode, Place, cut
from tinyflow.quantize.intervals.channel_range import channel_count


def restrict_same(place: Place) -> None:
    """A channel goes from all tensors or from none. One channel that is broadcast stays."""
    channels = len(place.result_gone)
    going = place.result_gone.copy()
    for mask in place.masks:
        if len(mask) == channels:
            going &= mask
    for mask in (*place.masks, place.result_gone):
        mask[:] = going if len(mask) == channels else False


def rewrite_same(place: Place) -> NewNode:
    node = place.site.node
    operands = [_cut_constant(t, place.result_gone) for t in place.site.operands]
    return NewNode(operands, node.attrs, node.integer)


def _cut_constant(tensor: Tensor, gone: Mask) -> Tensor:
    if not tensor.is_constant or channel_count(tensor) != len(gone) or not gone.any():
        return tensor
    return cut(tensor, gone, len(tensor.shape) - 1)


def restrict_mixing(place: Place) -> None:
    """Every channel counts: none goes."""
    for mask in (*place.masks, place.result_gone):
        mask[:] = False


def restrict_axes(place: Place) -> None:
    """MEAN and TRANSPOSE: as `restrict_same` where they leave the last axis alone."""
    attrs: Any = place.site.node.attrs
    last = len(place.site.input.shape) - 1
    mean = place.site.node.op is Op.MEAN
    alone = last not in attrs.axes if mean else attrs.perm[last] == last
    (restrict_same if alone else restrict_mixing)(place)
