"""Shared arithmetic of operations that slide a window over NHWC images."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

Pair = tuple[int, int]
Padding = tuple[Pair, Pair]
"""((top, bottom), (left, right)), in pixels; resolved by the importer, never 'same' or 'valid'."""

NO_PADDING: Padding = ((0, 0), (0, 0))


def extent(size: int, kernel: int, stride: int, dilation: int, padding: Pair) -> int:
    """Output pixels along one axis, rounding down."""
    reach = (kernel - 1) * dilation + 1
    return (size + padding[0] + padding[1] - reach) // stride + 1


def pad_image(x: np.ndarray, padding: Padding, value: float | int) -> np.ndarray:
    if padding == NO_PADDING:
        return x
    return np.pad(x, ((0, 0), padding[0], padding[1], (0, 0)), constant_values=value)


def windows(x: np.ndarray, kernel: Pair, strides: Pair, dilations: Pair) -> np.ndarray:
    """A view of the (already padded) image [n,h,w,c] as [n, oh, ow, c, kh, kw]."""
    reach = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True))
    view = sliding_window_view(x, reach, axis=(1, 2))
    return view[:, :: strides[0], :: strides[1], :, :: dilations[0], :: dilations[1]]


def same_padding(size: int, kernel: int, stride: int, dilation: int) -> Pair:
    """TensorFlow's SAME: output = ceil(size / stride), the odd pixel of padding at the end."""
    out = -(-size // stride)
    total = max((out - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2
