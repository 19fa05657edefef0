"""RESIZE_BILINEAR: each output pixel mixes four source pixels."""

from __future__ import annotations

import numpy as np

from tinyflow.ir.node import Op
from tinyflow.ir.ops.resize import ResizeAttrs, infer_resize, source_positions
from tinyflow.ir.ops.spec import OpSpec


def evaluate(attrs: ResizeAttrs, x: np.ndarray) -> np.ndarray:
    for axis, out_size in zip((1, 2), attrs.size, strict=True):
        in_size = x.shape[axis]
        position = np.clip(source_positions(attrs, in_size, out_size), 0, in_size - 1)
        low = np.floor(position).astype(np.int64)
        high = np.minimum(low + 1, in_size - 1)
        fraction = (position - low).astype(x.dtype)
        fraction = fraction.reshape((-1, 1, 1) if axis == 1 else (-1, 1))
        x = x.take(low, axis) * (1 - fraction) + x.take(high, axis) * fraction
    return x


SPEC = OpSpec(Op.RESIZE_BILINEAR, ResizeAttrs, ("x",), infer_resize, evaluate, same_params=True)
