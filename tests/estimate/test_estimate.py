"""Estimates: the work that is counted, the fit, and the error that stands beside each figure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.nano_latency import count, table
from tests.support.seed_counts import MACS
from tinyflow.errors import UsageError
from tinyflow.estimate import Point, Series, Work, estimate, fit_series, load_series
from tinyflow.estimate.series import find_series

COSTS = (0.05, 2e-8, 1e-6)
WORKS = (
    Work(50, 300_000_000, 1_000_000),
    Work(80, 500_000_000, 0),
    Work(120, 900_000_000, 3_000_000),
    Work(60, 2_000_000_000, 500_000),
    Work(200, 1_500_000_000, 2_000_000),
)


def latency(work: Work) -> float:
    return sum(cost * amount for cost, amount in zip(COSTS, work.amounts, strict=True))


def synthetic() -> Series:
    points = tuple(Point(f"n{i}", 224, latency(work), work) for i, work in enumerate(WORKS))
    return Series("synthetic", "a device", "a runtime", "nobody", points)


def test_a_series_that_follows_the_form_is_fitted_exactly() -> None:
    fit = fit_series(synthetic())
    assert fit.costs == pytest.approx(COSTS, rel=1e-6)
    assert fit.worst_error < 1e-9
    inside = Work(100, 1_000_000_000, 1_500_000)
    found = estimate(inside, fit)
    assert found.ms == pytest.approx(latency(inside)) and not found.is_beyond


def test_a_network_that_is_left_out_is_not_seen() -> None:
    """One figure that does not fit: its own error is what the others say of it."""
    series = synthetic()
    first = series.points[0]
    bent = replace(series, points=(replace(first, ms=2 * first.ms), *series.points[1:]))
    assert fit_series(bent).left_out[0] == pytest.approx(-0.5, abs=1e-6)


@pytest.mark.parametrize("work", [Work(49, 10**9, 10**6), Work(100, 10**9, 4 * 10**6)])
def test_work_beyond_the_series_is_marked(work: Work) -> None:
    found = estimate(work, fit_series(synthetic()))
    assert found.is_beyond and "OUTSIDE of their range" in str(found)


@pytest.mark.parametrize(
    ("name", "average", "worst"), [("nano-tensorrt-fp16", 0.04, 0.06), ("nano-pytorch", 0.11, 0.23)]
)
def test_published_series_are_estimated_within(name: str, average: float, worst: float) -> None:
    fit = fit_series(find_series(name))
    assert average - 0.01 < fit.mean_error < average
    assert worst - 0.01 < fit.worst_error < worst
    assert all(cost > 0 for cost in fit.costs)
    text = str(estimate(fit.series.points[0].work, fit))
    assert "ESTIMATED for Jetson Nano" in text and f"{100 * fit.worst_error:.0f}% at worst" in text
    assert f"{100 * fit.mean_error:.1f}% on average" in table(fit)


def test_an_unknown_series_is_refused() -> None:
    with pytest.raises(UsageError, match="there is no series 'orin'"):
        find_series("orin")


def test_the_stored_work_is_that_of_the_networks() -> None:
    points = {p.model: p for series in load_series().values() for p in series.points}
    counted = points["edgenext_xxs"]
    assert count(counted.model, counted.resolution) == counted.work
    for name, point in points.items():
        if name in MACS:
            assert point.work.flops == pytest.approx(2 * MACS[name], rel=0.02)
