"""RESHAPE, CONCAT, SLICE and PAD: channels change their places."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tinyflow.quantize.dead_channels.place import Mask, NewNode, Place, cut
from tinyflow.quantize.dead_channels.same_channels import (
    restrict_mixing,
    restrict_same,
    rewrite_same,
)
from tinyflow.quantize.intervals.channel_range import channel_count


def _agree(one: Mask, other: Mask) -> None:
    """What goes from ``one`` goes from ``other``; both may be views."""
    one &= other
    other[...] = one


def restrict_reshape(place: Place) -> None:
    """Where one channel count divides the other, a channel goes with all those that it becomes."""
    x, y = place.input_gone, place.result_gone
    fewer, more = (x, y) if len(x) <= len(y) else (y, x)
    if len(more) % len(fewer):
        restrict_mixing(place)
        return
    images = more.reshape(-1, len(fewer))
    fewer &= np.all(images, axis=0)
    images[:] = fewer


def rewrite_reshape(place: Place) -> NewNode:
    node = place.site.node
    attrs: Any = node.attrs
    shape = (*attrs.shape[:-1], int((~place.result_gone).sum()))
    return NewNode(place.site.operands, replace(attrs, shape=shape), node.integer)


def _joins_channels(place: Place) -> bool:
    attrs: Any = place.site.node.attrs
    return bool(attrs.axis == len(place.site.result.shape) - 1)


def _parts(place: Place) -> list[Mask]:
    """The stretch of the result's mask that each operand fills."""
    ends = np.cumsum([channel_count(t) for t in place.site.operands])
    return np.split(place.result_gone, ends[:-1])


def restrict_concat(place: Place) -> None:
    if not _joins_channels(place):
        restrict_same(place)
        return
    for part, mask in zip(_parts(place), place.gone, strict=True):
        if mask is not None:
            _agree(part, mask)


def rewrite_concat(place: Place) -> NewNode:
    """An operand of which nothing is left is no operand any more."""
    if not _joins_channels(place):
        return rewrite_same(place)
    node = place.site.node
    operands = []
    for part, tensor in zip(_parts(place), place.site.operands, strict=True):
        if part.all():
            continue
        whole = not (tensor.is_constant and part.any())
        operands.append(tensor if whole else cut(tensor, part, len(tensor.shape) - 1))
    return NewNode(operands, node.attrs, node.integer)


def restrict_slice(place: Place) -> None:
    """What is not taken may go; between channels taken at a stride nothing may."""
    attrs: Any = place.site.node.attrs
    begin, end, stride = attrs.begin[-1], attrs.end[-1], attrs.strides[-1]
    inside = place.input_gone[begin:end]
    if stride == 1:
        _agree(inside, place.result_gone)
    else:
        inside[:] = False
        place.result_gone[:] = False


def rewrite_slice(place: Place) -> NewNode:
    node = place.site.node
    attrs: Any = node.attrs
    kept = ~place.input_gone
    begin = int(kept[: attrs.begin[-1]].sum())
    end = begin + int(kept[attrs.begin[-1] : attrs.end[-1]].sum())
    cut_attrs = replace(attrs, begin=(*attrs.begin[:-1], begin), end=(*attrs.end[:-1], end))
    return NewNode(place.site.operands, cut_attrs, node.integer)


def _pad_parts(place: Place) -> tuple[Mask, Mask, Mask]:
    attrs: Any = place.site.node.attrs
    before, after = attrs.pads[-1]
    mask = place.result_gone
    end = len(mask) - after
    return mask[:before], mask[before:end], mask[end:]


def restrict_pad(place: Place) -> None:
    """Channels that are padding may go."""
    _agree(_pad_parts(place)[1], place.input_gone)


def rewrite_pad(place: Place) -> NewNode:
    node = place.site.node
    attrs: Any = node.attrs
    before, _, after = _pad_parts(place)
    last = (int((~before).sum()), int((~after).sum()))
    return NewNode(place.site.operands, replace(attrs, pads=(*attrs.pads[:-1], last)), node.integer)
