"""CROSS_COVARIANCE in integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.ir.integer import CrossCovarianceForm
from tinyflow.ir.ops.tokens import join_heads, split_heads
from tinyflow.quantize.inverse_root import inverse_root, normalize
from tinyflow.quantize.shares import mean_codes, row_factor, shares_of
from tinyflow.quantize.site import Site


def cross_covariance(
    site: Site, q: np.ndarray, k: np.ndarray, v: np.ndarray, temperature: np.ndarray
) -> np.ndarray:
    """The sums run in float64, where BLAS is: they are below 2**31, hence exact.

    A product of channels over the norm of the key's has 14 fractional bits; the norm of the
    query's is the same for a whole row, and only goes into its decay.
    """
    form: Any = site.node.integer
    attrs: Any = site.node.attrs
    assert isinstance(form, CrossCovarianceForm)
    queries, keys, values = (
        split_heads(x.astype(np.float64) - t.params.zero_point, attrs.heads).swapaxes(-1, -2)
        for x, t in zip((q, k, v), site.operands, strict=False)
    )
    products = (queries @ keys.swapaxes(-1, -2)).astype(np.int64)
    root, half = _inverse_norms(keys, form.least_k)
    signs = np.where(form.multiplier < 0, -1, 1)[:, None]
    scores = products * (root * signs)[..., None, :] >> (31 + half)[..., None, :]
    root, half = _inverse_norms(queries, form.least_q)
    multiplier, left = row_decay(np.abs(form.multiplier.astype(np.int64)), form.shift, root, half)
    multiplier, left = multiplier[..., None], left[..., None]
    shares = shares_of(scores, multiplier, left, np.int64(1) << (31 - left), form.spare)
    factor, shift = row_factor(shares.sum(axis=-1, keepdims=True), form.output)
    sums = (shares.astype(np.float64) @ values).astype(np.int64)
    codes = mean_codes(sums, factor, shift, site.result.params.zero_point)
    return join_heads(codes.swapaxes(-1, -2), q.shape)


def _inverse_norms(x: np.ndarray, least: int) -> tuple[np.ndarray, np.ndarray]:
    """(root, half) for each channel of [..., channels, tokens]: ``root / 2**(45 + half)`` is one
    over its norm, or over the least one."""
    squares = np.square(x).sum(axis=-1).astype(np.int64)
    normal, half = normalize(np.maximum(squares, least))
    return inverse_root(normal), half


def row_decay(
    multiplier: np.ndarray, shift: np.ndarray, root: np.ndarray, half: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The multiplier and left shift of a `Decay` for each channel of the queries [batch, heads,
    channels], from a temperature for each head."""
    product = multiplier[:, None] * root
    low = (product < 1 << 60).astype(np.int64)
    left = shift.astype(np.int64)[:, None] - 4 - half - low
    decay = (product >> (30 - low)) >> np.clip(-left, 0, 31)
    far = left > 31
    return np.where(far, 1 << 30, decay), np.where(far, 31, np.maximum(left, 0))
