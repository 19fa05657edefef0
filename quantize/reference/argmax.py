"""ARGMAX of codes, which are in the order of their values."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.ir.integer import ArgmaxForm
from tinyflow.quantize.reference.resize_bilinear import mixed
from tinyflow.quantize.site import Site


def argmax(site: Site, x: np.ndarray) -> np.ndarray:
    form: Any = site.node.integer
    assert isinstance(form, ArgmaxForm)
    values = x if form.resize is None else mixed(form.resize, x)
    return np.argmax(values, axis=-1, keepdims=True).astype(site.result.dtype.numpy)
