"""Random requantizations, and the accumulators that could find a mistake in them."""

from __future__ import annotations

import numpy as np

from tinyflow.codegen.c.dsp.requant import Problem
from tinyflow.ir import Rounding
from tinyflow.quantize.fixed_point import requantize

_CLAMPS = ((-128, 127), (-128, 127), (0, 127), (-128, 40), (-60, 127), (-9, 54), (3, 99), (-64, 63))


def random_problem(rng: np.random.Generator, channels: int = 3) -> Problem:
    """Shifts near each other as in a layer, any clamp, ranges from one code to saturation."""
    shift = -rng.integers(0, 14) - rng.integers(0, rng.integers(1, 5), channels)
    if rng.random() < 0.2:
        shift = rng.integers(-3, 5, channels)
    multiplier = rng.integers(2**30, 2**31, channels)
    if rng.random() < 0.2:
        multiplier[0] = rng.choice([2**30, 2**30 + 1, 2**31 - 1])
    lo, hi = _CLAMPS[rng.integers(len(_CLAMPS))]
    zero = lo if rng.random() < 0.5 else int(rng.integers(-128, 128))
    register_shift = int(rng.choice([0, 1, 8]))
    most = 31 - np.maximum(np.maximum(shift, 0), register_shift)
    if rng.random() < 0.1:
        register_shift, most = 0, 31 - np.maximum(shift, 0)
    else:
        most = np.minimum(most, np.maximum(8 - shift, 3) + rng.integers(0, 4))
    half = (np.int64(1) << most) - 1
    ends = np.sort(rng.integers(-half, half + 1, (2, channels)), axis=0)
    if rng.random() < 0.5:
        ends = np.array([-half, half])
    rounding = Rounding.DOUBLE if rng.random() < 0.75 else Rounding.SINGLE
    return Problem(multiplier, shift, rounding, zero, lo, hi, ends[0], ends[1], register_shift)


def reference(problem: Problem, acc: np.ndarray) -> np.ndarray:
    """Codes by the definition that every backend must equal."""
    value = requantize(acc, problem.multiplier, problem.shift, problem.rounding)
    return np.clip(value + problem.zero, problem.lo, problem.hi)


def telling_accumulators(problem: Problem, rng: np.random.Generator, count: int) -> np.ndarray:
    """Reachable accumulators [n, channels]: the ends, about 0, both sides of each step of the
    reference, and ``count`` random ones."""
    steps = problem.thresholds.at
    ends = np.stack([problem.acc_lo, problem.acc_hi])
    middle = np.arange(-3, 4)[:, None] + np.zeros_like(problem.acc_lo)
    random = rng.integers(problem.acc_lo, problem.acc_hi + 1, (count, len(problem.acc_lo)))
    every = np.concatenate([ends, middle, steps - 1, steps, steps + 1, random])
    return np.clip(every, problem.acc_lo, problem.acc_hi)
