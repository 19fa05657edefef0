"""Layers by half-word pairs: the C twins here, the assembly for Cortex-M0+ on the emulator."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.dsp_layers import assert_equal_on_dsp
from tests.support.product_layers import Product, product_graph, random_product
from tinyflow.codegen.c import Feature, Goal, choose_variants
from tinyflow.ir import NO_CLAMP, RELU6, Clamp, Graph, Rounding

THUMB1 = frozenset({Feature.THUMB1})
PAIRS = "half-word pairs"

PIXELS = [
    Product((5, 5), 64, 64),
    Product((4, 6), 16, 8, clamp=RELU6),
    Product((3, 3), 7, 5, in_zero=3, out_zero=-4, clamp=NO_CLAMP),
    Product((2, 3), 1, 1),
    Product((3, 5), 12, 6, in_zero=127, out_zero=0, clamp=Clamp(-0.3, 0.4)),
    Product((1, 1), 24, 9),
    Product((1, 2), 9, 300, out_zero=-128),
    Product((3, 3), 30, 300),
    Product((17, 3), 100, 4),
    Product((2, 2), 8, 4, weight=-127, in_zero=127, clamp=NO_CLAMP),
    Product((2, 2), 8, 4, weight=127, in_zero=-128, out_zero=0, clamp=NO_CLAMP),
    Product((2, 2), 8, 4, weight=127, bias=1 << 22, out_zero=5),
    Product((2, 2), 8, 4, bias=(1 << 31) - (1 << 20), out_zero=0, clamp=NO_CLAMP),
    Product((1, 1), 8, 4, bias=(1 << 31) - (1 << 20), out_zero=127, clamp=NO_CLAMP),
    Product((3, 3), 1200, 4),
    Product((), 640, 12),
    Product((), 130, 10, out_zero=5, clamp=NO_CLAMP),
    Product((), 3, 3),
    Product((7,), 20, 20),
]
"""Channels and pixels beside fours, odd sums, extreme codes, weights and biases, vectors and
tokens, with ReLU and without."""


def names(graph: Graph, goal: Goal = Goal.SPEED) -> list[str]:
    choices = choose_variants(graph, THUMB1, goal)
    return [choices[node.name].name for node in graph.nodes]


def assert_equal(graph: Graph, folder: Path, count: int = 5) -> None:
    assert_equal_on_dsp(graph, folder, count=count, target="cortex-m0plus")


def test_some_equal_the_reference(tmp_path: Path) -> None:
    graph = product_graph([PIXELS[2], PIXELS[4], PIXELS[5], PIXELS[1]])
    assert names(graph) == [PAIRS] * 4
    assert_equal(graph, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("rounding", Rounding)
def test_pixels_equal_the_reference(rounding: Rounding, tmp_path: Path) -> None:
    graph = product_graph(PIXELS, rounding)
    assert names(graph) == [PAIRS] * len(PIXELS)
    assert_equal(graph, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_random_layers_equal_the_reference(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    rounding = Rounding.SINGLE if seed == 2 else Rounding.DOUBLE
    graph = product_graph([random_product(rng) for _ in range(16)], rounding, seed)
    assert PAIRS in names(graph)
    assert_equal(graph, tmp_path)


def test_what_does_not_fit_stays_portable() -> None:
    """Pairs of -128 may sum to 2^15; multipliers of a quarter and more round in the lower word."""
    layer = Product((2, 2), 8, 4)
    assert names(product_graph([replace(layer, weight=-127)])) == [PAIRS]
    assert names(product_graph([replace(layer, weight=-128)])) == ["portable"]
    assert names(product_graph([replace(layer, gain=1000.0)])) == ["portable"]
    assert names(product_graph([layer]), Goal.SIZE) == ["portable"]
    other = choose_variants(product_graph([layer]), frozenset(), Goal.SPEED)
    assert [choice.name for choice in other.values()] == ["portable"]
