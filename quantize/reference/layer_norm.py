"""LAYER_NORM in integers, over the last axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.ir.integer import LayerNormForm
from tinyflow.quantize.forms.activation import code_range
from tinyflow.quantize.forms.layer_norm import MEAN_BITS, VARIANCE_BITS
from tinyflow.quantize.inverse_root import inverse_root, normalize
from tinyflow.quantize.site import Site


def layer_norm(site: Site, x: np.ndarray, *affine: np.ndarray) -> np.ndarray:
    """``affine`` is in the form already."""
    form: Any = site.node.integer
    assert isinstance(form, LayerNormForm)
    q = x.astype(np.int64)
    count = q.shape[-1]
    total = q.sum(axis=-1, keepdims=True)
    spread = count * np.square(q).sum(axis=-1, keepdims=True) - total * total
    varies = spread > 0
    m, half = normalize(np.where(varies, (spread << VARIANCE_BITS) + form.epsilon, 1))
    shift = np.clip(form.shift + half, 0, 31)
    scale = (inverse_root(m) * form.factor >> 30) + ((np.int64(1) << shift) >> 1) >> shift
    scale = np.where(varies, scale, 0)
    sums = scale * q - (scale * (total * form.reciprocal >> form.mean_shift) >> MEAN_BITS)
    if form.gamma is None or form.beta is None:
        sums += form.start
    else:
        sums = (sums * form.gamma.astype(np.int64) >> 32) + form.beta
    codes = np.clip(sums >> form.fraction, *code_range(site.result))
    return codes.astype(site.result.dtype.numpy)
