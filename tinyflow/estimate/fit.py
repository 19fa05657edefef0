"""Fits what a launch, an operation and a normalized element cost to one published series.

latency = a * launches + b * operations + c * normalized elements, with a, b, c >= 0 that minimize
the sum of the squared relative errors. Only networks of one series are fitted together: runtimes
differ by more than networks do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

import numpy as np

from tinyflow.estimate.series import Point, Series
from tinyflow.estimate.work import Work


@dataclass(frozen=True)
class Fit:
    """``costs`` are milliseconds for each unit of `Work.amounts`. ``left_out`` has, for each
    network of the series, the relative error of its estimate by a fit to all others."""

    series: Series
    costs: tuple[float, ...]
    left_out: tuple[float, ...]

    @property
    def mean_error(self) -> float:
        return mean(abs(error) for error in self.left_out)

    @property
    def worst_error(self) -> float:
        return max(abs(error) for error in self.left_out)

    def ms(self, work: Work) -> float:
        return _ms(self.costs, work)


@dataclass(frozen=True)
class Estimate:
    """``is_beyond`` says that some amount of work lies outside of what the series covers: the
    errors of ``fit`` say nothing about such a network."""

    ms: float
    fit: Fit
    is_beyond: bool

    def __str__(self) -> str:
        fit, series = self.fit, self.fit.series
        errors = f"{100 * fit.mean_error:.0f}% on average, {100 * fit.worst_error:.0f}% at worst"
        text = (
            f"{self.ms:.1f} ms, ESTIMATED for {series.device}, {series.conditions}; fitted to "
            f"{len(series.points)} networks of {series.source}, of which each is estimated from "
            f"the others with an error of {errors}"
        )
        if self.is_beyond:
            text += "; this network lies OUTSIDE of their range, and the error is not known"
        return text


def fit_series(series: Series) -> Fit:
    points = series.points
    errors = []
    for i, point in enumerate(points):
        costs = _solve([*points[:i], *points[i + 1 :]])
        errors.append(_ms(costs, point.work) / point.ms - 1)
    return Fit(series, _solve(points), tuple(errors))


def estimate(work: Work, fit: Fit) -> Estimate:
    """What the runtime of a series would take for this work."""
    ranges = zip(*(point.work.amounts for point in fit.series.points), strict=True)
    is_beyond = any(
        not min(known) <= amount <= max(known)
        for amount, known in zip(work.amounts, ranges, strict=True)
    )
    return Estimate(fit.ms(work), fit, is_beyond)


def _ms(costs: Sequence[float], work: Work) -> float:
    return sum(cost * amount for cost, amount in zip(costs, work.amounts, strict=True))


def _solve(points: Sequence[Point]) -> tuple[float, ...]:
    from scipy.optimize import nnls

    # Each row is divided by its latency, so that errors count relative to it, and each column by
    # its largest amount, so that the solver sees numbers of one size.
    amounts = np.array([point.work.amounts for point in points])
    scales = np.maximum(amounts.max(axis=0), 1.0)
    latencies = np.array([point.ms for point in points])
    costs, _ = nnls(amounts / scales / latencies[:, None], np.ones(len(points)))
    return tuple(float(cost) for cost in costs / scales)
