"""Which taps of a kernel lie inside the image, for every place where the kernel can stand."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.ir import Op
from tinyflow.quantize.site import Site

Patterns = tuple[np.ndarray, np.ndarray]
"""Bool [patterns, taps] for rows and for columns: the combinations that occur, each once."""

_ONE_TAP = (np.ones((1, 1), dtype=bool), np.ones((1, 1), dtype=bool))


def valid_taps(site: Site) -> Patterns:
    """Any row pattern can meet any column pattern."""
    if site.node.op is Op.FULLY_CONNECTED:
        return _ONE_TAP
    find = _of_transpose if site.node.op is Op.TRANSPOSE_CONV_2D else _of_convolution
    rows, columns = (np.unique(find(site, axis), axis=0) for axis in (0, 1))
    return rows, columns


def _of_convolution(site: Site, axis: int) -> np.ndarray:
    attrs: Any = site.node.attrs
    size, taps, out = _sizes(site, axis)
    first = np.arange(out) * attrs.strides[axis] - attrs.padding[axis][0]
    position = first[:, None] + np.arange(taps) * attrs.dilations[axis]
    return (position >= 0) & (position < size)


def _of_transpose(site: Site, axis: int) -> np.ndarray:
    attrs: Any = site.node.attrs
    size, taps, out = _sizes(site, axis)
    reach = np.arange(out)[:, None] + attrs.padding[axis][0] - np.arange(taps)
    stride = attrs.strides[axis]
    return (reach % stride == 0) & (reach >= 0) & (reach < size * stride)


def _sizes(site: Site, axis: int) -> tuple[int, int, int]:
    """Pixels of the input, taps of the kernel, pixels of the output."""
    weight = site.operands[1]
    return site.input.shape[1 + axis], weight.shape[1 + axis], site.result.shape[1 + axis]
