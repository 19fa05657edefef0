"""Pad."""

from __future__ import annotations

import math

from tinyflow.importers.common.builder import BATCH_REMEDY, Builder
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.onnx.stated import needed_integers, stated_number
from tinyflow.ir import Op
from tinyflow.ir.ops.pad import PadAttrs
from tinyflow.ir.ops.slice import SliceAttrs


def convert_pad(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """Mode constant with any finite value; the amounts are constant, negative ones cut."""
    mode = layer.text("mode", "constant")
    if mode != "constant":
        raise RefusalError(f"Pad in mode '{mode}' is not supported", "pad with a constant")
    x = builder.activation(layer)
    shape = builder.shape(x)
    pads = _amounts(layer, builder, len(shape))
    value = stated_number(layer, builder, 2, "value", 0.0)
    if not math.isfinite(value):
        raise RefusalError(
            f"Pad with {value} is not supported", "give a pooling layer its own padding instead"
        )
    if pads[0] != (0, 0):
        raise RefusalError("Pad grows or cuts the batch axis", BATCH_REMEDY)
    if any(min(pair) < 0 for pair in pads):
        begin = tuple(max(-before, 0) for before, _ in pads)
        end = tuple(d - max(-after, 0) for d, (_, after) in zip(shape, pads, strict=True))
        cut = SliceAttrs(begin, end, (1,) * len(shape))
        if all(max(pair) <= 0 for pair in pads):
            return (builder.emit(layer, Op.SLICE, (x,), cut),)
        x = builder.emit(layer, Op.SLICE, (x,), cut, "cut")
    if not any(max(pair) > 0 for pair in pads):
        return (x,)
    grown = tuple((max(before, 0), max(after, 0)) for before, after in pads)
    return (builder.emit(layer, Op.PAD, (x,), PadAttrs(grown, value)),)


def _amounts(layer: Layer, builder: Builder, rank: int) -> list[tuple[int, int]]:
    """(before, after) of every axis."""
    flat = needed_integers(layer, builder, 1, "pads")
    axes = builder.integers(layer, 3, "axes") if layer.has(3) else tuple(range(rank))
    if len(flat) != 2 * len(axes):
        raise RefusalError(f"{len(flat)} pads do not fit {len(axes)} axes")
    pads = [(0, 0)] * rank
    for index, axis in enumerate(axes):
        pads[axis] = (flat[index], flat[index + len(axes)])
    return pads
