"""Estimates of latency away from the device, each with the error that it is known to have."""

from tinyflow.estimate.fit import Estimate, Fit, estimate, fit_series
from tinyflow.estimate.series import Point, Series, load_series
from tinyflow.estimate.work import Work, work_of

__all__ = [
    "Estimate",
    "Fit",
    "Point",
    "Series",
    "Work",
    "estimate",
    "fit_series",
    "load_series",
    "work_of",
]
