from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyflow.quantize.weights import bias_limit, quantize_weights


def random_weight(shape, axis, seed=0):
    """Channels of very different size."""
    rng = np.random.default_rng(seed)
    gains = [1] * len(shape)
    gains[axis] = shape[axis]
    w = rng.normal(size=shape) * np.exp(rng.normal(size=gains) * 3)
    return w.astype(np.float32), rng.normal(size=shape[axis]).astype(np.float32)


@given(st.sampled_from([((6, 3, 3, 2), 0), ((1, 3, 3, 5), 3), ((4, 7), 0)]), st.integers(0, 50))
def test_each_channel_uses_its_whole_range(case, seed):
    shape, axis = case
    w, b = random_weight(shape, axis, seed)
    q = quantize_weights(w, b, axis, 0.05)
    others = tuple(i for i in range(w.ndim) if i != axis)
    assert q.codes.shape == w.shape
    assert np.abs(q.codes.astype(int)).max(axis=others).tolist() == [127] * shape[axis]
    step = np.moveaxis(np.broadcast_to(q.scales, (*np.delete(shape, axis), shape[axis])), -1, axis)
    assert np.all(np.abs(q.real_weight() - w) <= step * 0.5001)
    assert np.all(np.abs(q.real_bias() - b) <= q.bias_scales * 0.5001 + 1e-6 * np.abs(b))


def test_scale_is_the_largest_weight_over_127():
    q = quantize_weights(np.float32([[1.27, -0.5], [0.1, 12.7]]), np.zeros(2), 0, 1.0)
    assert q.scales.tolist() == [np.float32(0.01), np.float32(0.1)]
    assert q.codes.tolist() == [[127, -50], [1, 127]]


def test_zero_channel_without_bias_has_scale_1():
    q = quantize_weights(np.zeros((1, 4), np.float32), np.zeros(1), 0, 0.5)
    assert q.scales.tolist() == [1.0]
    assert not q.codes.any()
    assert q.bias_codes.tolist() == [0]


def test_zero_channel_keeps_its_bias_exact():
    bias = np.float32([0.1234567])
    q = quantize_weights(np.zeros((1, 4), np.float32), bias, 0, 0.5)
    assert q.scales[0] > 0
    assert q.real_bias()[0] == pytest.approx(bias[0], rel=1e-6)


@pytest.mark.parametrize("dead", [1e-12, 1e-30, 1e-44])
def test_near_dead_channel_raises_its_scale_until_the_bias_fits(dead):
    w = np.full((1, 4), dead, np.float32)
    bias = np.float32([3.0])
    q = quantize_weights(w, bias, 0, 0.02)
    assert abs(int(q.bias_codes[0])) <= bias_limit(4) + 256
    assert q.real_bias()[0] == pytest.approx(3.0, rel=1e-6)
    assert np.all(np.abs(q.real_weight() - w) <= q.scales[0] / 2)


def test_bias_limit_leaves_room_for_the_products():
    assert bias_limit(4608) + 255 * 127 * 4608 <= 2**31 - 1


def test_scales_are_float32_and_survive_the_tensor():
    w, b = random_weight((6, 3, 3, 2), 0)
    q = quantize_weights(w, b, 0, 0.05)
    assert q.scales.dtype == np.float32
    tensor = q.weight_tensor("w")
    assert tensor.params.axis == 0
    assert np.array_equal(np.float32(tensor.params.scales), q.scales)
    assert q.bias_tensor("b").value.dtype == np.int32
