"""The weight stream of a layer: everything that its tile block reads, in that order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyflow.codegen.c.dsp.products.stream import PERMUTED

GROUP = 4
"""Output channels that are summed together."""

DOUBLED = 1
"""Sums come out times 2**DOUBLED."""

INT16_MAX = (1 << 15) - 1


def transform(weight: np.ndarray) -> np.ndarray:
    """int64 [4, o, h, c] of a weight [o, h, 3, c]: what the planes d1 + d2, d2 - d1, d0 - d2 and
    d1 - d3 are multiplied by, such that the outputs are twice the sums."""
    w0, w1, w2 = np.moveaxis(weight.astype(np.int64), 2, 0)
    return np.stack([w0 + w1 + w2, w0 - w1 + w2, 2 * w0, -2 * w2])


def pack(
    weight: np.ndarray,
    bias: np.ndarray,
    tables: Sequence[np.ndarray],
    register_shift: int = DOUBLED,
) -> np.ndarray:
    """The stream as int32 [groups, words]; see winograd_s8.h for its order.

    ``weight`` is int8 [o, h, 3, c], ``bias`` [o] has the input's zero point folded in, ``tables``
    [o] each are the words of the requantization. o and c are multiples of 4. Sums come out times
    ``2**register_shift``.
    """
    planes = transform(weight) << (register_shift - DOUBLED)
    assert np.abs(planes).max() <= INT16_MAX
    _, outputs, rows, channels = planes.shape
    groups = outputs // GROUP
    steps = rows * channels // 2
    fours = planes.reshape(4, outputs, rows, channels // 4, 4)[..., PERMUTED]
    halves = fours.reshape(4, groups, GROUP, steps, 2).transpose(0, 1, 3, 2, 4)
    words = (halves[..., 0] & 0xFFFF) | (halves[..., 1] << 16)
    sums, differences, left, right = words.reshape(4, groups, -1)
    biases = (bias.astype(np.int64) << register_shift).reshape(groups, GROUP)
    requant = np.stack([t.astype(np.int64) for t in tables], axis=-1).reshape(groups, -1)
    stream = np.concatenate(
        [biases, sums, differences, left, requant, right, requant],
        axis=1,
    )
    return (stream & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
