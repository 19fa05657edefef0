"""Attention in integers against float64."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.attentions import attention_graph, in_float64, random_codes
from tinyflow.errors import UnsupportedError
from tinyflow.ir import Rounding, Shape
from tinyflow.ir.ops.attention import AttentionAttrs
from tinyflow.quantize import run_reference

UNIFORM, PEAKY = 0.0, 8.0
"""Factors of the usual scale, one over the root of the channels of a head."""

SHAPES: tuple[tuple[Shape, Shape, int, int], ...] = (  # queries, keys, channels of values, heads
    ((1, 14, 14, 96), (1, 14, 14, 96), 96, 1),
    ((1, 49, 96), (1, 49, 96), 96, 3),
    ((1, 7, 30), (1, 5, 30), 12, 6),
    ((1, 3, 4), (1, 1, 4), 4, 2),
)


def errors(graph_of: tuple[Shape, Shape, int, int], factor: float, ratio: float) -> np.ndarray:
    """Differences in codes, with the result's scale ``ratio`` times as fine as the values'."""
    q, k, columns, heads = graph_of
    attrs = AttentionAttrs(heads, factor * (q[-1] // heads) ** -0.5)
    scales = (0.031, 0.027, 0.04, 0.04 / ratio)
    graph = attention_graph(q, k, columns, attrs, scales)
    inputs = random_codes(graph, 2)
    (codes,) = run_reference(graph, inputs).values()
    assert codes.dtype == np.int8
    return np.abs(codes - in_float64(graph, inputs))


@pytest.mark.parametrize("shapes", SHAPES, ids=lambda shapes: str(shapes[0]))
@pytest.mark.parametrize("factor", [UNIFORM, 0.1, 1.0, PEAKY])
@pytest.mark.parametrize("ratio", [0.3, 1.0, 4.0])
def test_within_three_quarters_of_a_code(
    shapes: tuple[Shape, Shape, int, int], factor: float, ratio: float
) -> None:
    assert errors(shapes, factor, ratio).max() < 0.5 + 0.06 * max(ratio, 1.0)


@pytest.mark.parametrize("keys, bound", [(1024, 0.65), (4096, 1.0)])
@pytest.mark.parametrize("factor", [UNIFORM, 0.05, 0.3, 1.0])
def test_long_rows(keys: int, bound: float, factor: float) -> None:
    assert errors(((1, 12, 32), (1, keys, 32), 32, 1), factor, 1.0).max() < bound


def test_faint_keys_keep_their_share() -> None:
    """One key takes most; the others, each below half a unit of a share, move the mean as much
    as they should: what is cut off one is added to the next."""
    keys = 256
    graph = attention_graph((1, 1, 4), (1, keys, 4), 4, AttentionAttrs(1, 0.42), zeros=(0,) * 4)
    k = np.full((1, keys, 4), -10, np.int8)
    k[:, 0] = 127
    v = np.full((1, keys, 4), -100, np.int8)
    v[:, 0] = 100
    inputs = {"q": np.full((1, 1, 4), 63, np.int8), "k": k, "v": v}
    for q in range(50, 70):
        inputs["q"] = np.full((1, 1, 4), q, np.int8)
        (codes,) = run_reference(graph, inputs).values()
        assert np.abs(codes - in_float64(graph, inputs)).max() < 0.6


def test_rounding_of_the_graph_makes_no_difference() -> None:
    results = []
    for rounding in Rounding:
        graph = attention_graph(*SHAPES[1][:3], AttentionAttrs(3, 0.2), rounding=rounding)
        results.append(run_reference(graph, random_codes(graph, 2))["attention:0"])
    np.testing.assert_array_equal(results[0], results[1])


@pytest.mark.parametrize("scale", [1e-9, 1e-4, 30.0, 1e6])
@pytest.mark.parametrize("scales", [(0.03, 0.03, 100.0, 1e-6), (0.03, 0.03, 1e-6, 100.0)])
def test_any_scale(scale: float, scales: tuple[float, ...]) -> None:
    graph = attention_graph((1, 9, 8), (1, 11, 8), 4, AttentionAttrs(2, scale), scales)
    inputs = random_codes(graph, 3)
    (codes,) = run_reference(graph, inputs).values()
    expected = in_float64(graph, inputs)
    if scales[2] < scales[3]:
        assert (codes == -4).all()
    elif scale > 1:
        assert np.abs(codes - expected).max() <= 0.6


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="attention: an attention to 4097 keys"):
        attention_graph((1, 2, 4), (1, 4097, 4), 4, AttentionAttrs(1, 1.0))
    with pytest.raises(UnsupportedError, match="attention: its scale is -1"):
        attention_graph((1, 2, 4), (1, 3, 4), 4, AttentionAttrs(1, -1.0))
    with pytest.raises(UnsupportedError, match="heads of 70000 channels do not fit in 32 bits"):
        attention_graph((1, 2, 70000), (1, 3, 70000), 4, AttentionAttrs(1, 1.0))
