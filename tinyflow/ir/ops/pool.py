"""Shared by MAX_POOL and AVERAGE_POOL."""

from __future__ import annotations

from dataclasses import dataclass

from tinyflow.ir.clamp import NO_CLAMP, Clamp
from tinyflow.ir.node import Attrs
from tinyflow.ir.ops.spatial import NO_PADDING, Padding, Pair, extent
from tinyflow.ir.ops.spec import ShapeError, need_rank
from tinyflow.ir.tensor import Shape


@dataclass(frozen=True)
class PoolAttrs(Attrs):
    """Padded pixels never count: not for the maximum, not for the average's divisor."""

    kernel: Pair = (1, 1)
    strides: Pair = (1, 1)
    padding: Padding = NO_PADDING
    clamp: Clamp = NO_CLAMP


def infer_pool(attrs: PoolAttrs, x: Shape) -> Shape:
    """x [n,h,w,c] -> [n,oh,ow,c]."""
    need_rank(x, 4)
    rows, columns = (
        extent(x[1 + i], attrs.kernel[i], attrs.strides[i], 1, attrs.padding[i]) for i in (0, 1)
    )
    if rows < 1 or columns < 1:
        raise ShapeError(f"a window of {attrs.kernel} does not fit the image {list(x)}")
    for i in (0, 1):
        before = attrs.padding[i][0]
        last = ((rows, columns)[i] - 1) * attrs.strides[i] - before
        if before >= attrs.kernel[i] or last >= x[1 + i]:
            raise ShapeError(f"padding {attrs.padding} makes windows that see no pixel")
    return (x[0], rows, columns, x[3])
