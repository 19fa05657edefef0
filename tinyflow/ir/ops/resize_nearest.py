"""RESIZE_NEAREST: each output pixel is one source pixel."""

from __future__ import annotations

import numpy as np

from tinyflow.ir.node import Op
from tinyflow.ir.ops.resize import ResizeAttrs, infer_resize
from tinyflow.ir.ops.spec import OpSpec


def source_indices(attrs: ResizeAttrs, in_size: int, out_size: int) -> np.ndarray:
    """The source index of each output pixel along one axis, int64 [out_size].

    TFLite's rule, in float32 as there: round to nearest (ties up) with align_corners, else down.
    """
    scale = np.float32(in_size) / np.float32(out_size)
    if attrs.align_corners and out_size > 1:
        scale = np.float32(in_size - 1) / np.float32(out_size - 1)
    offset = np.float32(0.5 if attrs.half_pixel_centers else 0.0)
    position = (np.arange(out_size, dtype=np.float32) + offset) * scale
    rounded = np.floor(position + np.float32(0.5)) if attrs.align_corners else np.floor(position)
    return np.clip(rounded.astype(np.int64), 0, in_size - 1)


def evaluate(attrs: ResizeAttrs, x: np.ndarray) -> np.ndarray:
    rows = source_indices(attrs, x.shape[1], attrs.size[0])
    columns = source_indices(attrs, x.shape[2], attrs.size[1])
    return x[:, rows][:, :, columns]


SPEC = OpSpec(Op.RESIZE_NEAREST, ResizeAttrs, ("x",), infer_resize, evaluate, same_params=True)
