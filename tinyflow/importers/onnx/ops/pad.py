"""Pad."""

from __future__ import annotations

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.padding import Border, continued, padded
from tinyflow.importers.onnx.stated import needed_integers, stated_number

_CONTINUED: dict[str, Border] = {"edge": "edge", "reflect": "reflect", "wrap": "wrap"}


def convert_pad(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """By constant amounts, of which negative ones cut, with any finite value, or in the modes
    reflect, edge and wrap, which cost slices."""
    x = builder.value(layer)
    pads = _amounts(layer, builder, len(x.shape))
    mode = layer.text("mode", "constant")
    if mode in _CONTINUED:
        return (continued(layer, builder, x, pads, _CONTINUED[mode]),)
    if mode != "constant":
        raise RefusalError(f"Pad in mode '{mode}' is not supported", "pad with a constant")
    border = stated_number(layer, builder, 2, "value", 0.0)
    return (padded(layer, builder, x, pads, border),)


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
