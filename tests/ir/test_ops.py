"""Float arithmetic of windowed operations against their definitions, written as loops."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyflow.ir import OPS, Op, ShapeError
from tinyflow.ir.ops.average_pool import evaluate as average_pool
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.ir.ops.conv2d import evaluate as conv2d
from tinyflow.ir.ops.depthwise_conv2d import DepthwiseConv2DAttrs
from tinyflow.ir.ops.depthwise_conv2d import evaluate as depthwise
from tinyflow.ir.ops.matmul import MatmulAttrs
from tinyflow.ir.ops.max_pool import evaluate as max_pool
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.ir.ops.spatial import same_padding
from tinyflow.ir.ops.transpose_conv2d import TransposeConv2DAttrs
from tinyflow.ir.ops.transpose_conv2d import evaluate as transpose_conv

pads = st.tuples(st.tuples(*[st.integers(0, 2)] * 2), st.tuples(*[st.integers(0, 2)] * 2))
pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


def test_every_operation_is_in_the_table() -> None:
    assert set(OPS) == set(Op)


@given(strides=pairs, padding=pads, dilations=pairs, groups=st.sampled_from([1, 2]))
@settings(max_examples=40, deadline=None)
def test_conv2d(strides, padding, dilations, groups) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2, 9, 8, 4)), rng.normal(size=(6, 3, 2, 4 // groups))
    attrs = Conv2DAttrs(strides, padding, dilations, groups)
    try:
        shape = OPS[Op.CONV_2D].infer(attrs, x.shape, w.shape)
    except ShapeError:
        return
    expected = np.zeros(shape)
    for n, oy, ox, o in np.ndindex(*shape):
        base = o // (6 // groups) * (4 // groups)
        for ky, kx, c in np.ndindex(3, 2, 4 // groups):
            y = oy * strides[0] + ky * dilations[0] - padding[0][0]
            z = ox * strides[1] + kx * dilations[1] - padding[1][0]
            if 0 <= y < 9 and 0 <= z < 8:
                expected[n, oy, ox, o] += x[n, y, z, base + c] * w[o, ky, kx, c]
    np.testing.assert_allclose(conv2d(attrs, x, w), expected, atol=1e-9)


@pytest.mark.parametrize("transpose_a", [False, True])
@pytest.mark.parametrize("transpose_b", [False, True])
def test_matmul(transpose_a: bool, transpose_b: bool) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 3, 4, 5)), rng.normal(size=(2, 3, 5, 6))
    expected = np.einsum("nhmk,nhkp->nhmp", a, b)
    attrs = MatmulAttrs(transpose_a, transpose_b)
    operands = [a.swapaxes(2, 3) if transpose_a else a, b.swapaxes(2, 3) if transpose_b else b]
    spec = OPS[Op.MATMUL]
    shapes = [x.shape for x in operands]
    assert spec.infer(attrs, *shapes) == expected.shape
    assert spec.macs(attrs, shapes, expected.shape) == 2 * 3 * 4 * 5 * 6
    np.testing.assert_allclose(spec.evaluate(attrs, *operands), expected)


@pytest.mark.parametrize(
    "a, b", [((1, 4), (4, 1)), ((1, 2, 4, 5), (1, 5, 4)), ((1, 4, 5), (1, 4, 5)),
             ((1, 2, 4, 5), (1, 1, 5, 4)), ((1, 1, 2, 4, 5), (1, 1, 2, 5, 4))],
)  # fmt: skip
def test_matmul_of_shapes_that_do_not_fit(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError):
        OPS[Op.MATMUL].infer(MatmulAttrs(), a, b)


@given(strides=pairs, padding=pads, dilations=pairs, multiplier=st.sampled_from([1, 3]))
@settings(max_examples=40, deadline=None)
def test_depthwise(strides, padding, dilations, multiplier) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2, 9, 8, 2)), rng.normal(size=(1, 3, 2, 2 * multiplier))
    attrs = DepthwiseConv2DAttrs(strides, padding, dilations)
    grouped = w.reshape(3, 2, 2 * multiplier, 1).transpose(2, 0, 1, 3)
    same = Conv2DAttrs(strides, padding, dilations, groups=2)
    np.testing.assert_allclose(depthwise(attrs, x, w), conv2d(same, x, grouped), atol=1e-9)


@given(strides=pairs, padding=pads, kernel=pairs)
@settings(max_examples=40, deadline=None)
def test_pools_never_count_padding(strides, padding, kernel) -> None:  # type: ignore[no-untyped-def]
    x = np.random.default_rng(0).normal(size=(1, 7, 6, 2))
    attrs = PoolAttrs(kernel, strides, padding)
    try:
        shape = OPS[Op.MAX_POOL].infer(attrs, x.shape)
    except ShapeError:
        return
    maxima, means = max_pool(attrs, x), average_pool(attrs, x)
    for oy, ox in itertools.product(range(shape[1]), range(shape[2])):
        top, left = oy * strides[0] - padding[0][0], ox * strides[1] - padding[1][0]
        window = x[0, max(top, 0) : top + kernel[0], max(left, 0) : left + kernel[1]]
        if window.size:
            np.testing.assert_allclose(maxima[0, oy, ox], window.max(axis=(0, 1)))
            np.testing.assert_allclose(means[0, oy, ox], window.mean(axis=(0, 1)))


@given(strides=pairs, extra=st.tuples(st.integers(0, 2), st.integers(0, 2)))
@settings(max_examples=20, deadline=None)
def test_transpose_conv_scatters(strides, extra) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(1, 4, 3, 2)), rng.normal(size=(5, 3, 2, 2))
    attrs = TransposeConv2DAttrs(strides, ((1, 0), (0, 1)), extra)
    full = np.zeros((1, 3 * strides[0] + 3 + extra[0], 2 * strides[1] + 2 + extra[1], 5))
    for y, z, ky, kx in np.ndindex(4, 3, 3, 2):
        full[0, y * strides[0] + ky, z * strides[1] + kx] += w[:, ky, kx] @ x[0, y, z]
    np.testing.assert_allclose(transpose_conv(attrs, x, w), full[:, 1:, :-1], atol=1e-9)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "expected"),
    [(49, 10, 2, (4, 5)), (10, 4, 2, (1, 1)), (32, 3, 2, (0, 1)), (32, 1, 2, (0, 0))],
)
def test_same_padding_is_tensorflows(size, kernel, stride, expected) -> None:  # type: ignore[no-untyped-def]
    assert same_padding(size, kernel, stride, 1) == expected
