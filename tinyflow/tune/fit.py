"""A linear model of a kernel's cost, from measurements of some shapes.

Of the quantities of a layer (see `tinyflow.codegen.c.variants.shape`) at most four, none with a
negative coefficient, such that the relative error is least.
"""

from __future__ import annotations

import itertools

import numpy as np

from tinyflow.codegen.c.variants.shape import QUANTITIES

MOST_TERMS = 4
DIGITS = 5
"""Of a coefficient, so that the table is easy to read and the same everywhere."""

_LEAST_SHARE = 0.02
"""Errors of figures below this share of the largest count as if they were of that size."""

_NOTHING = 1e-9
"""What rounding leaves of a coefficient of zero."""

_GAIN = 0.98
"""One more term must leave no more than this share of the squared error."""


def fit(rows: np.ndarray, wanted: np.ndarray) -> dict[str, float]:
    """The best non-negative combination of a few quantities: rows [n, quantities] -> wanted [n]."""
    if not wanted.any():
        return {}
    weight = 1.0 / np.maximum(wanted, _LEAST_SHARE * wanted.max())
    best: tuple[float, tuple[int, ...], np.ndarray] | None = None
    used = [i for i in range(rows.shape[1]) if rows[:, i].any()]
    most = min(MOST_TERMS, max(len(wanted) // 2, 1))
    for count in range(1, most + 1):
        for terms in itertools.combinations(used, count):
            part = rows[:, terms] * weight[:, None]
            found = np.linalg.lstsq(part, wanted * weight, rcond=None)[0]
            error = float(np.square(part @ found - wanted * weight).sum())
            if (found >= 0).all() and (best is None or error < _GAIN * best[0]):
                best = (error, terms, found)
    assert best is not None
    return {
        QUANTITIES[i]: float(f"{value:.{DIGITS}g}")
        for i, value in zip(best[1], best[2], strict=True)
        if value > _NOTHING
    }
