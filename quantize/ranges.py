"""Ranges of real values, and the candidates that a histogram suggests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tinyflow.ir import QuantParams, round_half_away
from tinyflow.quantize.options import RangeMethod

CODE_MIN, CODE_MAX = -128, 127
AUTO_PERCENTILES = (99.9, 99.99, 99.999)
_SMALLEST_SCALE = float(np.finfo(np.float32).tiny)
# Down to this share of the observed extent, in equal steps, at each end.
_GRID_LEAST, _GRID_STEPS = 0.4, 25


@dataclass(frozen=True)
class Range:
    """Real values from ``lo`` to ``hi``."""

    lo: float
    hi: float

    def __post_init__(self) -> None:
        if not self.lo <= self.hi:
            raise ValueError(f"range bounds are out of order: {self.lo} > {self.hi}")

    @property
    def width(self) -> float:
        return self.hi - self.lo

    def with_zero(self) -> Range:
        return Range(min(self.lo, 0.0), max(self.hi, 0.0))

    def union(self, other: Range) -> Range:
        return Range(min(self.lo, other.lo), max(self.hi, other.hi))

    def clipped(self, bounds: Range) -> Range:
        """The nearest range inside ``bounds``."""
        lo = min(max(self.lo, bounds.lo), bounds.hi)
        return Range(lo, max(lo, min(self.hi, bounds.hi)))

    def params(self) -> QuantParams:
        """The int8 quantization that covers the range and maps 0 exactly on a code.

        A range without extent, as a constant zero has, gets scale 1.
        """
        wide = self.with_zero()
        if wide.width == 0.0:
            return QuantParams.per_tensor(1.0, CODE_MIN)
        scale = float(np.float32(max(wide.width / (CODE_MAX - CODE_MIN), _SMALLEST_SCALE)))
        zero_point = float(round_half_away(np.asarray(CODE_MIN - wide.lo / scale)))
        return QuantParams.per_tensor(scale, int(min(max(zero_point, CODE_MIN), CODE_MAX)))


def union(ranges: Iterable[Range]) -> Range:
    first, *rest = ranges
    for other in rest:
        first = first.union(other)
    return first


def fake_quantize(x: np.ndarray, params: QuantParams, out: np.ndarray | None = None) -> np.ndarray:
    """``x`` as int8 codes can hold it, in float32; ``params`` are per tensor."""
    scale, zero = np.float32(params.scale), np.float32(params.zero_point)
    # A constant may be a single number, for which NumPy would return no array.
    y = np.empty(np.shape(x), np.float32) if out is None else out
    np.divide(x, scale, out=y, dtype=np.float32, casting="same_kind")
    np.rint(y, out=y)
    np.clip(y, CODE_MIN - zero, CODE_MAX - zero, out=y)
    y *= scale
    return y


def percentile_range(histogram: np.ndarray, span: Range, percentile: float) -> Range:
    """The range that leaves out (100 - percentile) percent of all values at each end."""
    edges = np.linspace(span.lo, span.hi, len(histogram) + 1)
    cumulative = np.cumsum(histogram)
    total = int(cumulative[-1])
    outside = total * (1.0 - percentile / 100.0)
    first = int(np.searchsorted(cumulative, outside, side="right"))
    last = int(np.searchsorted(cumulative, total - outside, side="left"))
    return Range(float(edges[first]), float(edges[last + 1])) if first <= last else span


def mse_range(histogram: np.ndarray, span: Range) -> Range:
    """The range inside ``span`` with the least mean squared quantization error."""
    edges = np.linspace(span.lo, span.hi, len(histogram) + 1)
    used = np.flatnonzero(histogram)
    centers = ((edges[:-1] + edges[1:]) / 2)[used].astype(np.float32)
    weights = histogram[used].astype(np.float64)
    shares = np.linspace(1.0, _GRID_LEAST, _GRID_STEPS)
    wide = span.with_zero()
    # An end at 0 cannot move: it is the same candidate for every share.
    lows = wide.lo * shares if wide.lo < 0 else np.zeros(1)
    highs = wide.hi * shares if wide.hi > 0 else np.zeros(1)
    best, least = wide, np.inf
    for lo in lows:
        for hi in highs:
            candidate = Range(float(lo), float(hi))
            error = fake_quantize(centers, candidate.params()) - centers
            cost = float(weights @ np.square(error, dtype=np.float64))
            if cost < least:
                best, least = candidate, cost
    return best


def candidates(
    histogram: np.ndarray, span: Range, percentile: float
) -> dict[RangeMethod, tuple[Range, ...]]:
    """By method, the ranges that it suggests: one, for AUTO several distinct ones.

    ``span`` is the extent of the histogram's bins and includes 0; so do all results.
    """
    if span.width == 0.0 or not histogram.any():
        return dict.fromkeys(RangeMethod, (span,))
    nearest = mse_range(histogram, span)
    by_percentile = [percentile_range(histogram, span, p) for p in AUTO_PERCENTILES]
    by_method = {
        RangeMethod.MINMAX: [span],
        RangeMethod.PERCENTILE: [percentile_range(histogram, span, percentile)],
        RangeMethod.MSE: [nearest],
        RangeMethod.AUTO: [span, *by_percentile, nearest],
    }
    return {
        method: tuple(dict.fromkeys(r.with_zero() for r in ranges))
        for method, ranges in by_method.items()
    }
