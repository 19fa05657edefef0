"""Sums of products, cut into pieces whose work arrays stay in the processor's cache."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinyflow.ir.clamp import NO_CLAMP, Clamp

CACHED = 1 << 16
"""Elements of a work array that are in the cache still when the next step reads them."""


def multiply_rows(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None, clamp: Clamp = NO_CLAMP
) -> np.ndarray:
    """``clamp(x @ weight.T + bias)`` of x [..., k], weight [o, k], bias [o] as [..., o]."""
    outputs, width = weight.shape
    rows = x.reshape(-1, width)
    result = np.empty((len(rows), outputs), dtype=np.result_type(x, weight))
    columns = np.ascontiguousarray(weight.T)
    step = max(1, CACHED // max(outputs, width, 1))
    for first in range(0, len(rows), step):
        block = result[first : first + step]
        np.matmul(rows[first : first + step], columns, out=block)
        finish(block, bias, clamp)
    return result.reshape(*x.shape[:-1], outputs)


def finish(sums: np.ndarray, bias: np.ndarray | None, clamp: Clamp) -> None:
    """``clamp(sums + bias)``, where the sums lie."""
    if bias is not None:
        sums += bias
    clamp.apply(sums)


def image_blocks(images: int, rows: int, row_elements: int) -> Iterator[tuple[slice, slice]]:
    """Covers [images, rows, ...] with pieces of about `CACHED` elements: slices of both axes.

    A piece is rows of one image, or several whole images.
    """
    step = max(1, min(rows, CACHED // max(row_elements, 1)))
    several = max(1, CACHED // max(rows * row_elements, 1)) if step == rows else 1
    for image in range(0, images, several):
        for row in range(0, rows, step):
            yield slice(image, image + several), slice(row, min(row + step, rows))
