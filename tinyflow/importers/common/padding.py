"""Borders around tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.picking import picked
from tinyflow.importers.common.views import lifted, lowered, slice_of
from tinyflow.ir import Op
from tinyflow.ir.ops.pad import PadAttrs

Border = Literal["edge", "reflect", "wrap"]

Amounts = Sequence[tuple[int, int]]
"""(before, after) of each of the source's axes; a negative amount cuts."""


def padded(
    layer: Layer, builder: Builder, value: Value, pads: Amounts, border: float, suffix: str = ""
) -> Value:
    """With a constant border."""
    if not math.isfinite(border):
        raise RefusalError(
            f"{layer.op} with {border} is not supported",
            "give a pooling layer its own padding instead",
        )
    begin = [max(-before, 0) for before, _ in pads]
    end = [d - max(-after, 0) for d, (_, after) in zip(value.shape, pads, strict=True)]
    grown = [(max(before, 0), max(after, 0)) for before, after in pads]
    grows = any(max(pair) > 0 for pair in grown)
    inner = slice_of(
        layer, builder, value, begin, end, [1] * len(begin), "cut" if grows else suffix
    )
    if not grows:
        return inner
    if inner.shape[0] == 1 and grown[0] == (0, 0):
        x = builder.emit(
            layer, Op.PAD, (builder.full(inner, layer),), PadAttrs(tuple(grown), border), suffix
        )
        return Value(x, builder.shape(x))
    attrs = PadAttrs(((0, 0), *grown), border)
    x = builder.emit(layer, Op.PAD, (lifted(layer, builder, inner),), attrs, suffix)
    return lowered(layer, builder, x)


def continued(layer: Layer, builder: Builder, value: Value, pads: Amounts, how: Border) -> Value:
    """With a border made of the value's own elements, as NumPy's pad names the ways."""
    for axis, (before, after) in enumerate(pads):
        size = value.shape[axis]
        row = np.arange(size)[max(-before, 0) : size - max(-after, 0)]
        width = max(before, 0), max(after, 0)
        if any(width):
            row = np.pad(row, width, mode=how)
        if list(row) != list(range(size)):
            value = picked(layer, builder, value, axis, row.tolist())
    return value
