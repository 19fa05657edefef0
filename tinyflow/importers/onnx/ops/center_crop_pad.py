"""CenterCropPad."""

from __future__ import annotations

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.padding import padded


def convert_center_crop_pad(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """To a constant shape; the border is 0."""
    x = builder.value(layer)
    wanted = builder.integers(layer, 1, "shape")
    axes = layer.integers("axes") or tuple(range(len(x.shape)))
    if len(wanted) != len(axes):
        raise RefusalError(f"{list(wanted)} does not fit the axes {list(axes)}")
    pads = [(0, 0)] * len(x.shape)
    for axis, size in zip(axes, wanted, strict=True):
        pads[axis] = _amounts(x.shape[axis], size)
    return (padded(layer, builder, x, pads, 0.0),)


def _amounts(before: int, after: int) -> tuple[int, int]:
    """What to add in front and behind; negative where elements are cut off."""
    if after < before:
        front = (before - after) // 2
        return -front, -(before - after - front)
    front = (after - before) // 2
    return front, after - before - front
