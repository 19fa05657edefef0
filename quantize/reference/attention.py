"""ATTENTION in integers, a few queries of a head at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.ir.integer import AttentionForm
from tinyflow.ir.ops.tokens import join_heads, split_heads
from tinyflow.quantize.shares import mean_codes, row_factor, shares_of
from tinyflow.quantize.site import Site

_SCORES = 1 << 18
"""So many at a time, all in all."""


def attention(site: Site, q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The sums run in float64, where BLAS is: they are below 2**31, hence exact.

    The zero point of keys would add the same to all scores of a row: it is left out.
    """
    form: Any = site.node.integer
    attrs: Any = site.node.attrs
    assert isinstance(form, AttentionForm)
    zeros = (site.operands[0].params.zero_point, 0, site.operands[2].params.zero_point)
    queries, keys, values = (
        split_heads(x.astype(np.float64) - zero, attrs.heads)
        for x, zero in zip((q, k, v), zeros, strict=True)
    )
    codes = np.empty((*queries.shape[:3], values.shape[-1]), dtype=np.int8)
    rows = max(_SCORES // keys.shape[2], 1)
    for place in np.ndindex(queries.shape[:2]):
        for begin in range(0, queries.shape[2], rows):
            part = slice(begin, begin + rows)
            codes[place][part] = _rows(form, site, queries[place][part], keys[place], values[place])
    return join_heads(codes, (*q.shape[:-1], v.shape[-1]))


def _rows(
    form: AttentionForm, site: Site, q: np.ndarray, k: np.ndarray, v: np.ndarray
) -> np.ndarray:
    decay = form.decay
    scores = (q @ k.T).astype(np.int64)
    shares = shares_of(scores, decay.multiplier, decay.left, decay.limit, form.spare)
    factor, shift = row_factor(shares.sum(axis=-1, keepdims=True), form.output)
    sums = (shares.astype(np.float64) @ v).astype(np.int64)
    return mean_codes(sums, factor, shift, site.result.params.zero_point)
