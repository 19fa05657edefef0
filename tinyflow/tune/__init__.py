"""Measures what kernel variants cost, on the emulator."""

from tinyflow.tune.autotune import autotune
from tinyflow.tune.measure import measure_choices

__all__ = ["autotune", "measure_choices"]
