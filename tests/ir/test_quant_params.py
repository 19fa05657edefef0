from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyflow.ir import DType, QuantParams, round_half_away


def test_ties_round_away_from_zero() -> None:
    ties = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])
    assert round_half_away(ties).tolist() == [-3, -2, -1, 1, 2, 3]


@given(
    scale=st.floats(2.0**-20, 1024.0, width=32),
    zero_point=st.integers(-128, 127),
    code=st.integers(-128, 127),
)
def test_a_code_survives_the_round_trip(scale: float, zero_point: int, code: int) -> None:
    params = QuantParams.per_tensor(scale, zero_point)
    codes = np.array([code], dtype=np.int8)
    assert params.quantize(params.dequantize(codes), DType.INT8).tolist() == [code]


def test_quantize_saturates() -> None:
    params = QuantParams.per_tensor(0.5, 10)
    assert params.quantize(np.array([1e9, -1e9]), DType.INT8).tolist() == [127, -128]


def test_per_channel_scales_run_along_their_axis() -> None:
    params = QuantParams.per_channel(np.array([1.0, 2.0]), axis=0)
    reals = np.array([[2.0, 4.0], [2.0, 4.0]])
    assert params.quantize(reals, DType.INT8).tolist() == [[2, 4], [1, 2]]


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_must_be_positive_and_finite(scale: float) -> None:
    with pytest.raises(ValueError, match="positive and finite"):
        QuantParams((scale,), (0,))


def test_a_scale_must_be_a_float32() -> None:
    with pytest.raises(ValueError, match="float32"):
        QuantParams((0.1,), (0,))


def test_per_channel_params_have_no_single_scale() -> None:
    params = QuantParams.per_channel(np.array([1.0, 2.0]), axis=0)
    with pytest.raises(ValueError, match="no single scale"):
        _ = params.scale
