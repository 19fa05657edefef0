"""AVERAGE_POOL: the mean of the pixels of each window that lie inside the image."""

from __future__ import annotations

import numpy as np

from tinyflow.ir.node import Op
from tinyflow.ir.ops.pool import PoolAttrs, infer_pool
from tinyflow.ir.ops.spatial import pad_image, windows
from tinyflow.ir.ops.spec import OpSpec


def sums_and_counts(attrs: PoolAttrs, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sum of each window [n,oh,ow,c] and its number of valid pixels [1,oh,ow,1]."""
    view = windows(pad_image(x, attrs.padding, 0), attrs.kernel, attrs.strides, (1, 1))
    ones = pad_image(np.ones((1, *x.shape[1:3], 1), dtype=np.int64), attrs.padding, 0)
    counts = windows(ones, attrs.kernel, attrs.strides, (1, 1)).sum(axis=(4, 5))
    return view.sum(axis=(4, 5)), counts


def evaluate(attrs: PoolAttrs, x: np.ndarray) -> np.ndarray:
    sums, counts = sums_and_counts(attrs, x)
    return attrs.clamp((sums / counts).astype(x.dtype))


SPEC = OpSpec(Op.AVERAGE_POOL, PoolAttrs, ("x",), infer_pool, evaluate, same_params=True)
