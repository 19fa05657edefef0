"""RESIZE_BILINEAR in integers: weights of 10 bits each way, one rounding at the end."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.ir import Rounding
from tinyflow.ir.integer import ResizeBilinearForm
from tinyflow.quantize.fixed_point import divide_by_power
from tinyflow.quantize.forms.resize_bilinear import ONE
from tinyflow.quantize.site import Site


def resize_bilinear(site: Site, x: np.ndarray) -> np.ndarray:
    form: Any = site.node.integer
    assert isinstance(form, ResizeBilinearForm)
    total = mixed(form, x)
    if site.rounding is Rounding.SINGLE:
        return ((total + (1 << 19)) >> 20).astype(np.int8)
    return divide_by_power(total, 20).astype(np.int8)


def mixed(form: ResizeBilinearForm, x: np.ndarray) -> np.ndarray:
    """The codes [n, oh, ow, c] in Q20, before they are rounded: int64."""
    y = form.y_frac.astype(np.int64).reshape(-1, 1, 1)
    rows = x[:, form.y_lo].astype(np.int64) * (ONE - y) + x[:, form.y_hi].astype(np.int64) * y
    w = form.x_frac.astype(np.int64).reshape(-1, 1)
    total: np.ndarray = rows[:, :, form.x_lo] * (ONE - w) + rows[:, :, form.x_hi] * w
    return total
