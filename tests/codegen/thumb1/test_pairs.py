"""Layers by half-word pairs: the C twins here, the assembly for Cortex-M0+ on the emulator."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.dsp_layers import assert_equal_on_dsp
from tests.support.product_layers import Product, product_graph, random_product
from tinyflow.codegen.c import Feature, Goal, choose_variants, demands_of
from tinyflow.codegen.schedule import make_schedule
from tinyflow.ir import NO_CLAMP, RELU6, Clamp, Graph, Rounding

THUMB1 = frozenset({Feature.THUMB1})
PAIRS = "half-word pairs"
GATHERED = "windows of half-word pairs"

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

WINDOWS = [
    Product((6, 7), 8, 8, (3, 3)),
    Product((6, 6), 16, 16, (3, 3), in_zero=7, out_zero=11, clamp=NO_CLAMP),
    Product((9, 8), 3, 10, (3, 3), (2, 2)),
    Product((21, 10), 1, 24, (10, 4), (2, 2), in_zero=83),
    Product((5, 5), 20, 6, (3, 3)),
    Product((5, 4), 5, 7, (2, 3), padding=((0, 1), (2, 0)), in_zero=127),
    Product((14, 1), 4, 5, (5, 1)),
    Product((8, 8), 16, 8, (1, 1), (2, 2)),
    Product((9, 7), 5, 4, (2, 2), (3, 3), padding=((1, 0), (1, 0))),
    Product((9, 5), 4, 4, (3, 3), dilations=(2, 1), padding=((2, 2), (1, 1))),
    Product((3, 3), 4, 4, (5, 5), weight=-127, in_zero=127),
    Product((4, 3), 1100, 4, (1, 2), (1, 2)),
    Product((3, 9), 2, 3, (16, 2), padding=((8, 8), (0, 0))),
    Product((1, 1201), 1, 4, (1, 16), (1, 3)),
]
"""First layers, odd rows of windows, holes between windows, windows beyond the image, lines."""


def names(graph: Graph, goal: Goal = Goal.SPEED) -> list[str]:
    choices = choose_variants(graph, THUMB1, goal)
    return [choices[node.name].name for node in graph.nodes]


def assert_equal(graph: Graph, folder: Path, count: int = 5) -> None:
    assert_equal_on_dsp(graph, folder, count=count, target="cortex-m0plus")


def test_some_equal_the_reference(tmp_path: Path) -> None:
    graph = product_graph([PIXELS[2], PIXELS[4], PIXELS[5], PIXELS[1], WINDOWS[2]])
    assert names(graph) == [*[PAIRS] * 4, GATHERED]
    assert_equal(graph, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("rounding", Rounding)
def test_pixels_equal_the_reference(rounding: Rounding, tmp_path: Path) -> None:
    graph = product_graph(PIXELS, rounding)
    assert names(graph) == [PAIRS] * len(PIXELS)
    assert_equal(graph, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("rounding", Rounding)
def test_windows_equal_the_reference(rounding: Rounding, tmp_path: Path) -> None:
    graph = product_graph(WINDOWS, rounding)
    assert names(graph) == [GATHERED] * len(WINDOWS)
    assert_equal(graph, tmp_path)


OVER = [
    Product((5, 5), 16, 16),
    Product((31, 5), 64, 61),
    Product((16, 6), 8, 8, (3, 3)),
    Product((16, 6), 8, 31, (3, 3), (2, 2)),
    Product((16, 6), 8, 8, (2, 2), padding=((0, 1), (0, 1))),
    Product((), 16, 16),
]


@pytest.mark.slow
@pytest.mark.parametrize("layer", OVER)
def test_results_over_their_operand_equal_the_reference(layer: Product, tmp_path: Path) -> None:
    graph = product_graph([layer])
    schedule = make_schedule(graph, demands_of(graph, choose_variants(graph, THUMB1)))
    assert schedule.placements[graph.outputs[0]].overlaps
    assert_equal(graph, tmp_path, count=3)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_random_layers_equal_the_reference(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    rounding = Rounding.SINGLE if seed == 2 else Rounding.DOUBLE
    graph = product_graph([random_product(rng) for _ in range(16)], rounding, seed)
    assert {PAIRS, GATHERED} <= set(names(graph))
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
