from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyflow.ir import DType, QuantParams
from tinyflow.quantize.options import RangeMethod
from tinyflow.quantize.ranges import (
    Range,
    candidates,
    fake_quantize,
    mse_range,
    percentile_range,
    union,
)

bound = st.floats(-1e6, 1e6, allow_nan=False, width=32)
extents = st.tuples(bound, bound).map(lambda pair: Range(min(pair), max(pair)))


@given(extents)
def test_zero_is_a_code_of_every_range(extent):
    params = extent.params()
    assert params.scale > 0
    assert -128 <= params.zero_point <= 127
    zero = params.quantize(np.zeros(1, np.float32), DType.INT8)
    assert zero[0] == params.zero_point
    assert params.dequantize(zero)[0] == 0.0


@given(extents, st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_error_inside_the_range_is_at_most_half_a_step(extent, shares):
    wide = extent.with_zero()
    params = extent.params()
    x = (wide.lo + np.asarray(shares) * wide.width).astype(np.float32)
    for y in (params.dequantize(params.quantize(x, DType.INT8)), fake_quantize(x, params)):
        slack = 1e-4 * params.scale + 1e-6 * np.abs(x)
        assert np.all(np.abs(y - x) <= params.scale / 2 + slack)


@given(extents, st.lists(bound, min_size=1, max_size=20))
def test_fake_quantize_is_quantize_then_dequantize(extent, values):
    params = extent.params()
    x = np.asarray(values, dtype=np.float32)
    steps = x / np.float32(params.scale)
    x = x[np.abs(np.abs(steps - np.trunc(steps)) - 0.5) > 1e-3]
    exact = params.dequantize(params.quantize(x, DType.INT8))
    np.testing.assert_allclose(fake_quantize(x, params), exact, rtol=1e-6)


def test_fake_quantize_of_a_single_number():
    y = fake_quantize(np.float32(0.3), QuantParams.per_tensor(0.25))
    assert isinstance(y, np.ndarray)
    assert y.shape == ()
    assert y == 0.25


@pytest.mark.parametrize(
    ("extent", "expected"),
    [
        (Range(0.0, 255.0), QuantParams.per_tensor(1.0, -128)),
        (Range(-1.0, 0.0), QuantParams.per_tensor(1 / 255, 127)),
        (Range(2.0, 5.1), QuantParams.per_tensor(5.1 / 255, -128)),
        (Range(-128.0, 127.0), QuantParams.per_tensor(1.0, 0)),
        (Range(-1.0, 1.0), QuantParams.per_tensor(2 / 255, -1)),
        (Range(0.0, 0.0), QuantParams.per_tensor(1.0, -128)),
    ],
)
def test_known_parameters(extent, expected):
    assert extent.params() == expected


def test_tiny_range_has_a_positive_scale():
    assert Range(0.0, 1e-44).params().scale > 0


def test_range_out_of_order_is_refused():
    with pytest.raises(ValueError, match="out of order"):
        Range(1.0, 0.0)


def test_union_and_clip():
    assert union([Range(0, 1), Range(-2, 0.5)]) == Range(-2, 1)
    assert Range(-2, 8).clipped(Range(0, 6)) == Range(0, 6)
    assert Range(7, 8).clipped(Range(0, 6)) == Range(6, 6)


def histogram_of(values: np.ndarray) -> tuple[np.ndarray, Range]:
    counts, edges = np.histogram(values, bins=2048)
    return counts, Range(float(edges[0]), float(edges[-1]))


def test_percentile_leaves_the_rare_values_out():
    values = np.linspace(-1, 1, 100_001)
    found = percentile_range(*histogram_of(values), 99.0)
    assert found.lo == pytest.approx(-0.98, abs=2e-3)
    assert found.hi == pytest.approx(0.98, abs=2e-3)


def test_percentile_100_is_everything():
    values = np.random.default_rng(0).normal(size=1000)
    counts, span = histogram_of(values)
    assert percentile_range(counts, span, 100.0) == span


def test_mse_range_has_less_error_than_the_whole_extent():
    values = np.random.default_rng(0).laplace(size=200_000).astype(np.float32)
    counts, span = histogram_of(values)
    found = mse_range(counts, span)
    assert found.width < span.width

    def error(r: Range) -> float:
        return float(np.square(fake_quantize(values, r.params()) - values).mean())

    assert error(found) < 0.8 * error(span)


def test_mse_range_keeps_a_uniform_extent():
    counts, span = histogram_of(np.linspace(0, 6, 10_000))
    assert mse_range(counts, span) == span


def test_candidates_by_method():
    counts, span = histogram_of(np.random.default_rng(0).laplace(size=100_000) + 1)

    span = span.with_zero()
    found = candidates(counts, span, 99.0)
    assert found[RangeMethod.MINMAX] == (span,)
    (percentile,) = found[RangeMethod.PERCENTILE]
    assert percentile.width < span.width
    (mse,) = found[RangeMethod.MSE]
    everything = found[RangeMethod.AUTO]
    assert {span, mse} <= set(everything)
    assert len(everything) == 5
    assert all(r.lo <= 0 <= r.hi for r in everything)


def test_no_extent_or_no_value_leaves_one_candidate():
    counts = np.zeros(2048, dtype=np.int64)
    for span in (Range(0.0, 0.0), Range(0.0, 3.0)):
        assert set(candidates(counts, span, 99.0).values()) == {(span,)}
