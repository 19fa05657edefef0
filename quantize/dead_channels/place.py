"""A node as the removal sees it: its tensors, what is known of them, and what shall go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tinyflow.ir import Attrs, IntegerForm, QuantParams, Tensor
from tinyflow.quantize.dead_channels.folding import Folding
from tinyflow.quantize.intervals import ChannelRange
from tinyflow.quantize.site import Site

Mask = np.ndarray
"""Bool, one entry for each channel: True where the channel goes."""


@dataclass(frozen=True, eq=False)
class Place:
    """``ranges`` are those of the operands. ``gone`` are the masks of the operands, None for
    constants, and ``result_gone`` that of the result; restricting a place clears entries."""

    site: Site
    ranges: tuple[ChannelRange, ...]
    gone: tuple[Mask | None, ...]
    result_gone: Mask

    @property
    def input_gone(self) -> Mask:
        """The mask of the first operand, an activation."""
        mask = self.gone[0]
        assert mask is not None
        return mask

    @cached_property
    def folding(self) -> Folding:
        """Of a layer that sums over its input channels."""
        return Folding.of(self.site, self.ranges[0])

    @property
    def masks(self) -> list[Mask]:
        """The masks of all operands that are activations."""
        return [mask for mask in self.gone if mask is not None]


@dataclass(frozen=True, eq=False)
class NewNode:
    """What a node becomes: its operands (activations only by name), attributes and integers."""

    operands: Sequence[Tensor]
    attrs: Attrs
    integer: IntegerForm | None


def unchanged(place: Place) -> NewNode:
    node = place.site.node
    return NewNode(place.site.operands, node.attrs, node.integer)


def cut(tensor: Tensor, gone: Mask, axis: int) -> Tensor:
    """A constant without the entries of ``gone`` along one axis, and without their scales."""
    quant = tensor.quant
    if quant is not None and quant.axis == axis:
        keep = np.flatnonzero(~gone)
        quant = QuantParams(
            tuple(quant.scales[i] for i in keep), tuple(quant.zero_points[i] for i in keep), axis
        )
    data = np.compress(~gone, tensor.value, axis=axis)
    return replace(Tensor.constant(tensor.name, data), quant=quant)
