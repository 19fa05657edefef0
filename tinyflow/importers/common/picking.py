"""Constant choices of elements: slices of what is there, joined in another order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.views import concat_of, part_of, reshape_to
from tinyflow.ir import Shape

MOST_PIECES = 64
"""Of one axis; each costs a layer."""


def picked(
    layer: Layer, builder: Builder, value: Value, axis: int, indices: Sequence[int]
) -> Value:
    """The given indices of one axis. Evenly spaced, ascending ones are a single slice."""
    size = value.shape[axis]
    wanted = [int(i) + (size if i < 0 else 0) for i in indices]
    if not wanted or not all(0 <= i < size for i in wanted):
        raise RefusalError(f"it picks the indices {wanted[:8]} of an axis of {size}")
    runs = list(_runs(wanted))
    if len(set(runs)) > MOST_PIECES:
        shown = ", ".join(map(str, wanted[:8])) + (", ..." if len(wanted) > 8 else "")
        raise RefusalError(
            f"it picks the indices {shown} of an axis: {len(set(runs))} slices, "
            f"and no more than {MOST_PIECES} are made of one layer",
            "pick ascending indices in a few runs, or permute weights instead of activations",
        )
    if len(runs) == 1:
        return part_of(layer, builder, value, axis, runs[0].start, runs[0].stop, "", runs[0].step)
    parts = {
        run: part_of(layer, builder, value, axis, run.start, run.stop, f"part_{number}", run.step)
        for number, run in enumerate(dict.fromkeys(runs))
    }
    return concat_of(layer, builder, [parts[run] for run in runs], axis)


def _runs(indices: Sequence[int]) -> Iterator[range]:
    """Ranges with steps of at least 1 that give the indices one after the other."""
    start = 0
    while start < len(indices):
        stop = start + 1
        step = indices[stop] - indices[start] if stop < len(indices) else 1
        while step > 0 and stop < len(indices) and indices[stop] - indices[stop - 1] == step:
            stop += 1
        # Two indices far apart may each begin a longer run.
        if stop - start == 2 and step > 1:
            stop, step = start + 1, 1
        yield range(indices[start], indices[stop - 1] + 1, max(step, 1))
        start = stop


def rearranged(
    layer: Layer, builder: Builder, values: Sequence[Value], indices: np.ndarray
) -> Value:
    """Elements of the values, one behind the other and each in C order, picked by ``indices``,
    whose shape the result has."""
    axes = _by_axis(values[0].shape, indices) if len(values) == 1 else None
    if axes is None:
        row = _picked_row(layer, builder, values, indices)
        return reshape_to(layer, builder, row, indices.shape, "shaped")
    value = values[0]
    for axis, chosen in enumerate(axes):
        if list(chosen) != list(range(value.shape[axis])):
            value = picked(layer, builder, value, axis, chosen.tolist())
    return value


def _by_axis(shape: Shape, indices: np.ndarray) -> list[np.ndarray] | None:
    """The indices of each axis, where the choice on one does not depend on the others."""
    if indices.ndim != len(shape):
        return None
    places = np.unravel_index(indices, shape)
    axes = []
    for axis, place in enumerate(places):
        first = np.moveaxis(place, axis, 0).reshape(place.shape[axis], -1)
        if (first != first[:, :1]).any():
            return None
        axes.append(first[:, 0])
    return axes


def _picked_row(
    layer: Layer, builder: Builder, values: Sequence[Value], indices: np.ndarray
) -> Value:
    rows = [
        reshape_to(layer, builder, v, (math.prod(v.shape),), f"row_{i}")
        for i, v in enumerate(values)
    ]
    row = rows[0] if len(rows) == 1 else concat_of(layer, builder, rows, 0, "rows")
    return picked(layer, builder, row, 0, indices.reshape(-1).tolist())
