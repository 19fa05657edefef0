"""MAX_POOL and AVERAGE_POOL in integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.ir.integer import PoolForm
from tinyflow.ir.ops.average_pool import sums_and_counts
from tinyflow.ir.ops.spatial import pad_image
from tinyflow.quantize.site import Site


def max_pool(site: Site, x: np.ndarray) -> np.ndarray:
    form: Any = site.node.integer
    attrs: Any = site.node.attrs
    assert isinstance(form, PoolForm)
    (sy, sx), (kh, kw) = attrs.strides, attrs.kernel
    rows, columns = site.result.shape[1:3]
    x = pad_image(x, attrs.padding, np.iinfo(x.dtype).min)
    result = np.full((x.shape[0], rows, columns, x.shape[3]), form.lo, dtype=x.dtype)
    for ky in range(kh):
        for kx in range(kw):
            tap = x[:, ky : ky + (rows - 1) * sy + 1 : sy, kx : kx + (columns - 1) * sx + 1 : sx]
            np.maximum(result, tap, out=result)
    return np.minimum(result, np.int8(form.hi))


def average_pool(site: Site, x: np.ndarray) -> np.ndarray:
    """Sums over the pixels inside the image, divided with ties away from zero."""
    form: Any = site.node.integer
    attrs: Any = site.node.attrs
    assert isinstance(form, PoolForm)
    sums, counts = sums_and_counts(attrs, x)
    magnitude = (np.abs(sums) + counts // 2) // counts
    return np.clip(np.sign(sums) * magnitude, form.lo, form.hi).astype(np.int8)
