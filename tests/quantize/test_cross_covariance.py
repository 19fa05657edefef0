"""Cross-covariance attention in integers against float64."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.attentions import cross_covariance_graph, in_float64, random_codes
from tinyflow.errors import UnsupportedError
from tinyflow.ir import Graph, Shape
from tinyflow.quantize import run_reference

SHAPES: tuple[tuple[Shape, int], ...] = (((1, 16, 16, 88), 4), ((1, 64, 24), 2), ((1, 3, 6), 6))


def error(graph: Graph, inputs: dict[str, np.ndarray]) -> float:
    """The largest difference, in codes."""
    (codes,) = run_reference(graph, inputs).values()
    assert codes.dtype == np.int8
    return float(np.abs(codes - in_float64(graph, inputs)).max())


@pytest.mark.parametrize("shape, heads", SHAPES)
@pytest.mark.parametrize("temperature", [0.0, 1.0, -3.0, 30.0])
@pytest.mark.parametrize("ratio", [0.3, 1.0, 4.0])
def test_within_three_quarters_of_a_code(
    shape: Shape, heads: int, temperature: float, ratio: float
) -> None:
    temperatures = np.linspace(temperature, 1.5 * temperature, heads).tolist()
    graph = cross_covariance_graph(shape, temperatures, (0.031, 0.027, 0.04, 0.04 / ratio))
    assert error(graph, random_codes(graph, 2)) < 0.5 + 0.06 * max(ratio, 1.0)


@pytest.mark.parametrize("temperature", [1.0, 10.0, 1000.0])
def test_correlated_channels(temperature: float) -> None:
    """As in trained networks, norms differ much and some channels are nearly alike."""
    graph = cross_covariance_graph((1, 49, 20), (temperature, temperature / 3))
    rng = np.random.default_rng(0)
    base = rng.normal(size=(2, 49, 3)) @ rng.normal(size=(3, 20))
    sizes = np.exp(rng.normal(0, 1.2, 20)) * 20
    noise = rng.normal(0, 0.1, (3, 2, 49, 20))
    codes = [np.clip(np.rint((base + n) * sizes), -128, 127).astype(np.int8) for n in noise]
    assert error(graph, dict(zip("qkv", codes, strict=True))) < 0.6


def test_channels_without_a_norm_mix_all_alike() -> None:
    graph = cross_covariance_graph((1, 9, 8), (4.0, 2.0))
    inputs = random_codes(graph, 1)
    inputs["q"][..., :3] = 5
    inputs["k"][..., 5:] = -7
    assert error(graph, inputs) < 0.6


def test_the_least_norm_counts() -> None:
    """An epsilon above some norms and below others."""
    graph = cross_covariance_graph((1, 25, 8), (50.0,), epsilon=7.0)
    inputs = random_codes(graph, 3)
    for name, zero in (("q", 5), ("k", -7)):
        inputs[name] = (np.clip(inputs[name], -100, 100) // np.arange(1, 9) + zero).astype(np.int8)
    assert error(graph, inputs) < 0.6


def test_most_tokens_at_the_ends_of_their_codes() -> None:
    """The largest sums that there are."""
    graph = cross_covariance_graph(
        (1, 181, 181, 2), (3.0,), zeros=(127, -128, 0, 0), scales=(1.0, 1.0, 1.0, 1.0)
    )
    inputs = random_codes(graph, 1)
    inputs["q"][...] = -128
    inputs["k"][...] = 127
    assert error(graph, inputs) < 0.6


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="covariance: sums over 40000 tokens"):
        cross_covariance_graph((1, 200, 200, 2), (1.0,), zeros=(-128, 0, 0, 0))
    with pytest.raises(UnsupportedError, match="covariance: its epsilon 1e\\+06 is too large"):
        cross_covariance_graph((1, 4, 2), (1.0,), epsilon=1e6)
