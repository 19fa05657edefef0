"""RESIZE_BILINEAR: source positions with 10 fractional bits."""

from __future__ import annotations

import numpy as np

from tinyflow.ir import Shape
from tinyflow.ir.integer import ResizeBilinearForm
from tinyflow.ir.ops.resize import ResizeAttrs
from tinyflow.quantize.site import Site

ONE = 1 << 10


def resize_bilinear_form(site: Site) -> ResizeBilinearForm:
    attrs = site.node.attrs
    assert isinstance(attrs, ResizeAttrs)
    return resize_form(attrs, site.input.shape)


def resize_form(attrs: ResizeAttrs, shape: Shape) -> ResizeBilinearForm:
    """For an image [n, h, w, c]."""
    rows = _axis(attrs, shape[1], attrs.size[0])
    columns = _axis(attrs, shape[2], attrs.size[1])
    return ResizeBilinearForm(*rows, *columns)


def _axis(
    attrs: ResizeAttrs, in_size: int, out_size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower index, upper index and upper weight (of 1024) per output pixel, int32 [out_size]."""
    span_in, span_out = in_size, out_size
    if attrs.align_corners and out_size > 1:
        span_in, span_out = in_size - 1, out_size - 1
    step = (ONE * span_in + span_out // 2) // span_out
    position = np.arange(out_size, dtype=np.int64) * step
    if attrs.half_pixel_centers:
        position += step // 2 - ONE // 2
    position = np.clip(position, 0, (in_size - 1) * ONE)
    lower = position // ONE
    upper = np.minimum(lower + 1, in_size - 1)
    # Where both pixels are the same the weight has no say; 0 keeps the form canonical.
    weight = np.where(upper > lower, position - lower * ONE, 0)
    return lower.astype(np.int32), upper.astype(np.int32), weight.astype(np.int32)
