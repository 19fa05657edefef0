"""LAYER_NORM in integers is within a rounding of float64, however its rows look."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.graphs import GraphBuilder
from tinyflow.errors import UnsupportedError
from tinyflow.ir import DType, Graph, Op, QuantParams, Rounding
from tinyflow.ir.integer import LayerNormForm
from tinyflow.ir.ops.layer_norm import LayerNormAttrs, evaluate
from tinyflow.quantize.attach import attach_integers
from tinyflow.quantize.inverse_root import inverse_root, normalize
from tinyflow.quantize.reference import run_reference

Q = QuantParams.per_tensor
BOUND = 0.51
ROWS = 24

Rows = Callable[[np.random.Generator, int], np.ndarray]
KINDS: dict[str, Rows] = {
    "any": lambda rng, n: rng.integers(-128, 128, (ROWS, n)),
    "offset 100, spread 1": lambda rng, n: 100 + rng.integers(-1, 2, (ROWS, n)),
    "one differs": lambda rng, n: rng.integers(-99, 99, (ROWS, 1)) + (np.arange(n) == n // 2),
    "few differ": lambda rng, n: np.where(rng.random((ROWS, n)) < 0.02, 127, -128),
    "ends": lambda rng, n: rng.choice([-128, 127], (ROWS, n)),
    "constant": lambda rng, n: rng.integers(-128, 128, (ROWS, 1)) + np.zeros((1, n), int),
}


def norm(
    channels: int,
    scales: tuple[float, float],
    epsilon: float,
    affine: tuple[np.ndarray, ...] = (),
    rows: int = ROWS,
) -> Graph:
    b = GraphBuilder()
    operands = [b.input("x", (1, rows, channels), DType.INT8, Q(scales[0], -7))]
    operands += [b.constant(f"p{i}", p.astype(np.float32)) for i, p in enumerate(affine)]
    y = b.node(Op.LAYER_NORM, operands, LayerNormAttrs(epsilon), "norm", Q(scales[1], 3))
    return attach_integers(b.build(y), Rounding.DOUBLE)


def error(graph: Graph, x: np.ndarray) -> float:
    """The largest distance in codes from float64."""
    node = graph.nodes[0]
    codes = run_reference(graph, {"x": x[None].astype(np.int8)})[node.output].astype(np.int64)
    quant_in, quant_out = graph.operands(node)[0].params, graph.result(node).params
    real = (x[None].astype(np.float64) - quant_in.zero_point) * quant_in.scale
    affine = [t.value.astype(np.float64) for t in graph.operands(node)[1:]]
    exact = evaluate(node.attrs, real, *affine) / quant_out.scale + quant_out.zero_point
    return float(np.abs(codes - np.clip(exact, -128, 127)).max())


@pytest.mark.parametrize("channels", [1, 2, 3, 5, 17, 48, 96, 320, 1024, 2048])
@pytest.mark.parametrize("kind", KINDS)
def test_error_is_that_of_one_rounding(kind, channels):
    rng = np.random.default_rng(channels)
    x = KINDS[kind](rng, channels)
    gamma, beta = rng.normal(1, 0.4, channels), rng.normal(0, 0.5, channels)
    for epsilon in (1e-3, 1e-5, 1e-12):
        for scale in (3.0, 0.05, 1e-4):
            for out in (0.3, 0.02):
                for affine in ((), (gamma,), (gamma, beta)):
                    assert error(norm(channels, (scale, out), epsilon, affine), x) <= BOUND


@pytest.mark.parametrize("channels", [2, 48, 768, 2048])
def test_channels_of_very_different_spread(channels):
    """As long-trained transformers have them: gamma over four orders of magnitude."""
    rng = np.random.default_rng(channels)
    gamma = np.exp(rng.normal(0, 1.5, channels)) * rng.choice([-1, 1], channels)
    beta = rng.normal(0, 1, channels) * gamma
    out = float(np.abs(gamma).max()) * 3 / 128
    for kind in KINDS.values():
        graph = norm(channels, (0.05, out), 1e-5, (gamma, beta))
        assert error(graph, kind(rng, channels)) <= BOUND


@pytest.mark.slow
def test_most_channels():
    rng = np.random.default_rng(0)
    for kind in KINDS.values():
        x = kind(rng, 1 << 16)[:4]
        assert error(norm(1 << 16, (0.05, 0.03), 1e-5, rows=len(x)), x) <= BOUND


@settings(deadline=None, max_examples=80)
@given(st.integers(1, 600), st.floats(-6, 2), st.floats(-2.3, 1), st.integers(0, 2**32 - 1))
def test_any_scales(channels, scale, out, seed):
    rng = np.random.default_rng(seed)
    x = np.clip(
        rng.normal(rng.uniform(-128, 127), 2 ** rng.uniform(-2, 7), (8, channels)), -128, 127
    )
    graph = norm(channels, (10.0**scale, 10.0**out), 1e-5, rows=8)
    assert error(graph, np.rint(x)) <= BOUND


def test_equal_codes_give_beta():
    graph = norm(6, (0.1, 0.1), 0.0, (np.ones(6), np.arange(6) / 10), rows=1)
    codes = run_reference(graph, {"x": np.full((1, 1, 6), 99, np.int8)})["norm:0"]
    assert codes.ravel().tolist() == [3, 4, 5, 6, 7, 8]


def test_parameters_alike_for_all_channels_need_no_tables():
    plain: LayerNormForm = norm(6, (0.1, 0.1), 1e-5).nodes[0].integer
    same = norm(6, (0.1, 0.1), 1e-5, (np.full(6, 2.0), np.full(6, 0.1))).nodes[0].integer
    assert plain.gamma is None and same.gamma is None and same.start > plain.start
    negative = norm(6, (0.1, 0.1), 1e-5, (np.full(6, -1.0),)).nodes[0].integer
    assert negative.gamma is not None


@pytest.mark.parametrize(
    ("channels", "scales", "epsilon", "sentence"),
    [
        (2**16 + 1, (0.1, 0.1), 1e-5, "it has 65537 channels, 65536 are possible"),
        (16, (1e-9, 0.1), 1e-3, "its epsilon 0.001 is too large for an input of scale 1e-09"),
        (16, (0.1, 1e-6), 1e-5, "its output scale is too small"),
    ],
)
def test_refused(channels, scales, epsilon, sentence):
    with pytest.raises(UnsupportedError, match=f"norm: {sentence}"):
        norm(channels, scales, epsilon, rows=1)


def test_inverse_root_is_within_its_bound():
    rng = np.random.default_rng(0)
    m = np.concatenate([rng.integers(2**30, 2**32, 200_000), [2**30, 2**30 + 1, 2**32 - 1]])
    relative = inverse_root(m) * np.sqrt(m / 2.0**32) / 2.0**29 - 1
    assert np.abs(relative).max() < 1.1e-8


@given(st.integers(1, 2**62 - 1))
def test_normalized_numbers_have_31_or_32_bits(x):
    m, half = (int(v) for v in normalize(np.array(x)))
    assert 2**30 <= m < 2**32
    assert m == (x >> 2 * half if half > 0 else x << -2 * half)
