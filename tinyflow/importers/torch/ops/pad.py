"""constant_pad_nd."""

from __future__ import annotations

import math

from tinyflow.importers.common.builder import BATCH_REMEDY, Builder, Value
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.views import slice_of
from tinyflow.ir import Op
from tinyflow.ir.ops.pad import PadAttrs


def convert_pad(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Mode constant with any finite value, on every axis but the batch; negative amounts cut."""
    if layer.text("mode", "constant") != "constant":
        raise RefusalError(f"pad in mode '{layer.text('mode', '')}' is not supported")
    amounts = layer.integers("pad") or ()
    value = layer.number("value", 0.0)
    if not math.isfinite(value):
        raise RefusalError(f"pad with {value} is not supported")
    x = builder.value(layer)
    # Torch lists pairs from the last axis on.
    pads = [(0, 0)] * len(x.shape)
    for index in range(len(amounts) // 2):
        pads[-1 - index] = (amounts[2 * index], amounts[2 * index + 1])
    if pads[0] != (0, 0):
        raise RefusalError("pad grows or cuts the batch axis", BATCH_REMEDY)
    begin = [max(-before, 0) for before, _ in pads]
    end = [size - max(-after, 0) for size, (_, after) in zip(x.shape, pads, strict=True)]
    x = slice_of(layer, builder, x, begin, end, [1] * len(pads), "cut")
    grown = tuple((max(before, 0), max(after, 0)) for before, after in pads)
    if not any(max(pair) for pair in grown):
        return (x,)
    if x.shape[:1] != (1,):
        raise RefusalError(f"pad of {list(x.shape)}, which has no batch axis of 1", BATCH_REMEDY)
    y = builder.emit(layer, Op.PAD, (builder.full(x),), PadAttrs(grown, value))
    return (Value(y, builder.shape(y)),)
