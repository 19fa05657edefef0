"""From the outputs of DeepLabv3 to a class for every pixel, in NumPy."""

from __future__ import annotations

import numpy as np


def _taps(length: int, target: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower and upper source index of each target place, and the upper one's weight.

    Pixels have their centres at halves, and what lies beyond the outermost centres is that of the
    outermost pixel: "align_corners = False" of other tools.
    """
    places = np.maximum((np.arange(target) + 0.5) * (length / target) - 0.5, 0)
    low = np.minimum(places.astype(np.int64), length - 1)
    high = np.minimum(low + 1, length - 1)
    return low, high, places - low


def resize_bilinear(maps: np.ndarray, height: int, width: int) -> np.ndarray:
    """Maps [classes, h, w] to [classes, height, width]."""
    low, high, weight = _taps(maps.shape[1], height)
    rows = maps[:, low] * (1 - weight)[:, None] + maps[:, high] * weight[:, None]
    low, high, weight = _taps(maps.shape[2], width)
    return rows[:, :, low] * (1 - weight) + rows[:, :, high] * weight


def segment(logits: np.ndarray, height: int, width: int) -> np.ndarray:
    """The class of each pixel [height, width], uint8, from logits [classes, h, w].

    Of two equal logits the first class wins.
    """
    return resize_bilinear(logits, height, width).argmax(axis=0).astype(np.uint8)
