"""Shared by RESIZE_NEAREST and RESIZE_BILINEAR: where output pixels lie in the source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyflow.ir.node import Attrs
from tinyflow.ir.ops.spatial import Pair
from tinyflow.ir.ops.spec import need_rank
from tinyflow.ir.tensor import Shape


@dataclass(frozen=True)
class ResizeAttrs(Attrs):
    """``size`` is the output's (height, width). At most one of the flags is set; with neither,
    output pixel ``i`` lies at ``i * in / out``."""

    size: Pair
    align_corners: bool = False
    half_pixel_centers: bool = False


def infer_resize(attrs: ResizeAttrs, x: Shape) -> Shape:
    """x [n,h,w,c] -> [n,oh,ow,c]."""
    need_rank(x, 4)
    return (x[0], *attrs.size, x[3])


def source_positions(attrs: ResizeAttrs, in_size: int, out_size: int) -> np.ndarray:
    """Real source coordinates of the output pixels along one axis, float64 [out_size]."""
    out = np.arange(out_size, dtype=np.float64)
    if attrs.align_corners and out_size > 1:
        return out * ((in_size - 1) / (out_size - 1))
    if attrs.half_pixel_centers:
        return (out + 0.5) * (in_size / out_size) - 0.5
    return out * (in_size / out_size)
