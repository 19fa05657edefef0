"""What a user may choose about quantization."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from tinyflow.ir.integer import Rounding

Progress = Callable[[str, int, int], None]
"""``progress(stage, done, total)`` is called as the work goes on."""


class RangeMethod(Enum):
    """How the range of an activation is drawn from what calibration saw."""

    AUTO = "auto"
    """For each tensor, whichever method disturbs the layers that read it least."""
    MINMAX = "minmax"
    """All that was seen."""
    PERCENTILE = "percentile"
    """All but the rarest values at each end."""
    MSE = "mse"
    """The range with the least mean squared rounding and clipping error."""


@dataclass(frozen=True)
class QuantizeOptions:
    """Choices of `quantize_model`; the defaults suit image and audio classifiers.

    ``percentile`` is the share of values (in percent) that a PERCENTILE range keeps.
    ``bias_correction`` lets biases absorb the mean error of each layer, where that helps on
    calibration samples which it was not fitted to.
    ``input_ranges`` gives, by graph input, the real range (lo, hi) that is known beforehand,
    such as (0, 255) for pixels; calibration decides for all other inputs.
    ``shared_range_db`` is the resolution that a tensor may lose to the other tensors with which
    it must share a scale, before a QUANTIZE layer is put between them.
    ``held_out`` is the share of the calibration samples that judges a correction.
    ``search_samples`` bounds the samples that range search and bias correction look at; for
    networks of more than 60 million multiplications they look at fewer.
    ``seed`` decides which samples these are.
    """

    ranges: RangeMethod = RangeMethod.AUTO
    percentile: float = 99.99
    bias_correction: bool = True
    rounding: Rounding = Rounding.DOUBLE
    input_ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    shared_range_db: float = 6.0
    held_out: float = 0.25
    search_samples: int = 128
    seed: int = 0

    def __post_init__(self) -> None:
        if not 50.0 < self.percentile <= 100.0:
            raise ValueError(f"percentile must lie in (50, 100], not {self.percentile}")
        if not 0.0 < self.held_out < 1.0:
            raise ValueError(f"held_out must lie in (0, 1), not {self.held_out}")
        if self.search_samples < 1:
            raise ValueError(f"search_samples must be at least 1, not {self.search_samples}")
        for name, (lo, hi) in self.input_ranges.items():
            if not (math.isfinite(lo) and math.isfinite(hi) and lo < hi):
                raise ValueError(f"the range of input '{name}' is empty: ({lo}, {hi})")
