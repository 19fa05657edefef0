"""Gather, GatherElements, GatherND, Compress and ReverseSequence: constant choices of elements."""

from __future__ import annotations

import math

import numpy as np

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.picking import picked, rearranged
from tinyflow.importers.common.views import reshape_to


def convert_gather(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Constant indices; each ascending run of them is a slice."""
    x = builder.value(layer)
    axis = layer.integer("axis", 0) % len(x.shape)
    indices = builder.constant(layer, 1, "indices")
    y = picked(layer, builder, x, axis, indices.reshape(-1).tolist())
    shape = (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
    return (reshape_to(layer, builder, y, shape, "shaped"),)


def convert_gather_elements(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Constant indices, in a few runs of neighbours."""
    x = builder.value(layer)
    axis = layer.integer("axis", 0) % len(x.shape)
    indices = _within(builder.constant(layer, 1, "indices"), x.shape[axis])
    trimmed = places(x.shape)[
        tuple(slice(None) if i == axis else slice(d) for i, d in enumerate(indices.shape))
    ]
    return (rearranged(layer, builder, [x], np.take_along_axis(trimmed, indices, axis)),)


def convert_gather_nd(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Constant indices, in a few runs of neighbours."""
    x = builder.value(layer)
    indices = builder.constant(layer, 1, "indices")
    batch = layer.integer("batch_dims", 0)
    depth = indices.shape[-1]
    index = [_within(indices[..., i], x.shape[batch + i]) for i in range(depth)]
    front = np.indices(indices.shape[:-1])[:batch]
    return (rearranged(layer, builder, [x], places(x.shape)[(*front, *index)]),)


def convert_compress(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """A constant condition."""
    x = builder.value(layer)
    (chosen,) = np.nonzero(builder.constant(layer, 1, "condition").reshape(-1))
    axis = layer.attributes.get("axis")
    if axis is None:
        x, axis = reshape_to(layer, builder, x, (math.prod(x.shape),), "row"), 0
    return (picked(layer, builder, x, int(axis) % len(x.shape), chosen.tolist()),)


def convert_reverse_sequence(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Constant lengths, of a few steps."""
    x = builder.value(layer)
    lengths = builder.integers(layer, 1, "lengths")
    time, batch = layer.integer("time_axis", 0), layer.integer("batch_axis", 1)
    moved = np.moveaxis(places(x.shape), (batch, time), (0, 1)).copy()
    for row, length in zip(moved, lengths, strict=True):
        row[:length] = row[:length][::-1].copy()
    return (rearranged(layer, builder, [x], np.moveaxis(moved, (0, 1), (batch, time))),)


def places(shape: tuple[int, ...]) -> np.ndarray:
    """The place of every element in C order, in the elements' own order."""
    return np.arange(math.prod(shape), dtype=np.int64).reshape(shape)


def _within(indices: np.ndarray, size: int) -> np.ndarray:
    """Negative ones count from the end."""
    if indices.size == 0 or indices.min() < -size or indices.max() >= size:
        raise RefusalError(f"its indices do not fit an axis of {size}")
    return np.where(indices < 0, indices + size, indices)
