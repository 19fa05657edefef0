"""The weight stream: everything that a block reads of a layer, in the order in which it does.

For each group of four output channels:

    where the upper and the lower sum of both pairs begin   4 words
    for each step, that is two inputs: one word per pair    2 words each
    what the requantization needs, channel by channel       n words each

A pair is two output channels that share half-words: h = 256 * odd + even. Products of h sum to
256 * (sum of odd) + (sum of even), those of its lower byte alone to the latter. Where the shape
carries, the first word of a pair is the odd channel's bias itself.
"""

from __future__ import annotations

import numpy as np

from tinyflow.codegen.c.dsp.products.shape import GROUP, ProductShape

PERMUTED = (0, 2, 1, 3)
"""The order of four values as SXTB16 widens them: even ones in one word, odd ones in the next."""


def can_pair(weight: np.ndarray, groups: int = 1) -> bool:
    """Whether all pairs of output channels (the first axis) of each of the ``groups`` fit a
    half-word: -128 only seldom does."""
    channels = weight.reshape(groups, len(weight) // groups, -1).astype(np.int32)
    return all((_pairs(_padded(each)) >= -(1 << 15)).all() for each in channels)


def pack(
    shape: ProductShape,
    rows: np.ndarray,
    bias: np.ndarray,
    tables: list[np.ndarray],
    permuted: bool,
) -> np.ndarray:
    """The stream as int32 [groups, words].

    ``rows`` are weights [out_c, rows of the window, n], ``bias`` [out_c] has the input's zero
    point folded in, ``tables`` [out_c] each are the words of the requantization. ``permuted``: the
    activations are, and rows of the shape a multiple of 4.
    """
    rows = np.pad(rows.astype(np.int32), ((0, 0), (0, 0), (0, shape.row - rows.shape[2])))
    weights = _padded(rows.reshape(len(rows), -1))
    if permuted:
        weights = weights.reshape(len(weights), -1, 4)[..., PERMUTED]
    groups = len(weights) // GROUP
    halves = _pairs(weights.reshape(len(weights), -1)).reshape(groups, 2, -1, 2)
    words = (halves[..., 0] & 0xFFFF) | halves[..., 1] << 16
    lower = _padded(bias.astype(np.int64)).reshape(groups, 2, 2)
    upper = lower[..., 1] if shape.carries else lower[..., 0] + (lower[..., 1] << 8)
    sums = np.stack([upper, lower[..., 0]], axis=-1).reshape(groups, 4)
    columns = [_padded(table.astype(np.int64)) for table in tables]
    return np.concatenate(
        [
            _wrap(sums),
            _wrap(words.astype(np.int64).transpose(0, 2, 1).reshape(groups, -1)),
            _wrap(np.stack(columns, axis=-1).reshape(groups, -1)),
        ],
        axis=1,
    )


def _pairs(channels: np.ndarray) -> np.ndarray:
    """256 * odd + even channel."""
    return 256 * channels[1::2] + channels[::2]


def _padded(channels: np.ndarray) -> np.ndarray:
    """Zeros up to a whole number of groups."""
    more = -len(channels) % GROUP
    return np.pad(channels, ((0, more), *(((0, 0),) * (channels.ndim - 1))))


def _wrap(values: np.ndarray) -> np.ndarray:
    return (values & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
