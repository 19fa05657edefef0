"""Sums and products of all elements up to each one."""

from __future__ import annotations

import numpy as np

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.elementwise import binary
from tinyflow.importers.common.layer import Layer
from tinyflow.importers.common.products import linear
from tinyflow.importers.common.views import concat_of, part_of, transpose_to
from tinyflow.ir import Op


def running_sum(
    layer: Layer, builder: Builder, value: Value, axis: int, exclusive: bool, backward: bool
) -> Value:
    """Along one axis: a product with a matrix of ones on one side of its diagonal.

    ``exclusive`` leaves each element itself out; ``backward`` begins at the end.
    """
    rank, size = len(value.shape), value.shape[axis]
    perm = (*(i for i in range(rank) if i != axis), axis)
    back = sorted(range(rank), key=lambda i: perm[i])
    ones = np.tril(np.ones((size, size), dtype=np.float32), -1 if exclusive else 0)
    last = transpose_to(layer, builder, value, perm, "axis_last")
    y = linear(layer, builder, last, ones.T if backward else ones)
    return transpose_to(layer, builder, y, back, "axis_back")


def running_product(
    layer: Layer, builder: Builder, value: Value, axis: int, exclusive: bool, backward: bool
) -> Value:
    """As `running_sum`: products of neighbours 1, 2, 4, ... apart."""
    size = value.shape[axis]
    if exclusive:
        ones = np.ones((*value.shape[:axis], 1, *value.shape[axis + 1 :]), dtype=np.float32)
        first = builder.stored_constant(f"{layer.name}/one", ones)
        begin, end = (1, size) if backward else (0, size - 1)
        rest = part_of(layer, builder, value, axis, begin, end, "without_last")
        value = concat_of(
            layer, builder, (rest, first) if backward else (first, rest), axis, "shifted"
        )
    distance = 1
    while distance < size:
        low = part_of(layer, builder, value, axis, 0, size - distance, f"low_{distance}")
        high = part_of(layer, builder, value, axis, distance, size, f"high_{distance}")
        both = binary(layer, builder, Op.MUL, (low, high), f"apart_{distance}")
        begin, end = (size - distance, size) if backward else (0, distance)
        done = part_of(layer, builder, value, axis, begin, end, f"done_{distance}")
        parts = (both, done) if backward else (done, both)
        value = concat_of(layer, builder, parts, axis, f"joined_{distance}")
        distance *= 2
    return value
