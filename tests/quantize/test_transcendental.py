"""Fixed-point functions against float64, over their whole ranges."""

from __future__ import annotations

import numpy as np
import pytest

from tinyflow.quantize.transcendental import exp_of_negative, logistic, one_over_one_plus, tanh


def raws(lowest: float, integer_bits: int, count: int = 20001) -> np.ndarray:
    lo = max(round(lowest * 2.0 ** (31 - integer_bits)), -(2**31))
    return np.linspace(lo, 0, count).astype(np.int64)


@pytest.mark.parametrize("integer_bits", [4, 5])
def test_exponential(integer_bits):
    x = raws(-(2.0**integer_bits), integer_bits)
    exact = np.exp(x * 2.0 ** (integer_bits - 31))
    result = exp_of_negative(x, integer_bits) * 2.0**-31
    assert np.abs(result - exact).max() < 5e-7
    assert exp_of_negative(np.array([0]), integer_bits)[0] == 2**31 - 1


def test_reciprocal():
    a = np.linspace(0, 2**31 - 1, 20001).astype(np.int64)
    result = one_over_one_plus(a) * 2.0**-31
    assert np.abs(result - 1 / (1 + a * 2.0**-31)).max() < 1e-7


@pytest.mark.parametrize(
    ("function", "exact"), [(logistic, lambda x: 1 / (1 + np.exp(-x))), (tanh, np.tanh)]
)
def test_sigmoids(function, exact):
    x = np.concatenate([raws(-15.9, 4), -raws(-15.9, 4)])
    error = np.abs(function(x, 4) * 2.0**-31 - exact(x * 2.0**-27))
    assert error.max() < 5e-7
