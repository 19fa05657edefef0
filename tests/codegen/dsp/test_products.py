"""Convolutions and fully connected layers by pairs of channels: the C twins here, the assembly on
the emulator."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.dsp_layers import DSP, assert_equal_on_dsp, variant_names
from tests.support.product_layers import (
    Product,
    product_graph,
    random_groups,
    random_product,
)
from tinyflow.codegen.c import choose_variants, demands_of, generate, variants
from tinyflow.codegen.c.dsp import conv2d, conv2d_line, pointwise
from tinyflow.codegen.c.dsp.products import must_carry
from tinyflow.codegen.schedule import make_schedule
from tinyflow.ir import NO_CLAMP, RELU6, Clamp, Graph, Rounding

POINTWISE = "paired products"
RING = "ring of paired products"
LINE = "line of paired products"
GROUPED = "ring of paired products by groups"

PIXELS = [
    Product((5, 5), 64, 64),
    Product((4, 6), 16, 8, clamp=RELU6),
    Product((3, 3), 7, 5, in_zero=3, out_zero=-4, clamp=NO_CLAMP),
    Product((2, 3), 1, 1),
    Product((3, 5), 12, 6, in_zero=127, out_zero=0, clamp=Clamp(-0.3, 0.4)),
    Product((1, 1), 24, 9),
    Product((17, 3), 100, 4),
    Product((3, 2), 30, 11, out_zero=17, clamp=NO_CLAMP, spread=6.0),
    Product((2, 2), 8, 4, weight=-127, in_zero=127, clamp=NO_CLAMP),
    Product((2, 2), 8, 4, weight=127, bias=1 << 22),
    Product((2, 2), 8, 4, gain=1000.0, out_zero=0, clamp=NO_CLAMP),
    Product((3, 3), 1200, 4),
    Product((), 640, 12),
    Product((), 130, 10, out_zero=5, clamp=NO_CLAMP),
    Product((), 3, 3),
    Product((7,), 20, 20),
]
"""Channels beside fours, odd pixels, several chunks, extreme codes, multipliers above 1, long
sums, vectors and tokens."""

WINDOWS = [
    Product((6, 7), 8, 8, (3, 3)),
    Product((6, 6), 16, 16, (3, 3), in_zero=7, out_zero=11, clamp=NO_CLAMP),
    Product((9, 8), 3, 10, (3, 3), (2, 2)),
    Product((9, 8), 3, 32, (3, 3), (2, 2)),
    Product((21, 10), 1, 24, (10, 4), (2, 2), in_zero=83),
    Product((5, 5), 20, 6, (3, 3)),
    Product((5, 4), 5, 7, (2, 3), padding=((0, 1), (2, 0)), in_zero=127),
    Product((14, 1), 4, 5, (5, 1)),
    Product((8, 8), 16, 8, (1, 1), (2, 2)),
    Product((9, 7), 5, 4, (2, 2), (3, 3), padding=((1, 0), (1, 0))),
    Product((9, 5), 4, 4, (3, 3), dilations=(2, 1), padding=((2, 2), (1, 1))),
    Product((3, 3), 4, 4, (5, 5)),
    Product((4, 4), 40, 4, (3, 3), spread=6.0, out_zero=3, clamp=NO_CLAMP),
    Product((4, 3), 1100, 4, (1, 2), (1, 2)),
    Product((3, 9), 2, 3, (16, 2), padding=((8, 8), (0, 0))),
]
"""First layers, gathered or not, runs with and without a loop, lines, holes between windows,
windows beyond the image, pixels too far apart for a pair of them."""

GROUPS = [
    Product((5, 6), 64, 64, (3, 3), groups=2),
    Product((7, 5), 96, 96, (3, 3), (2, 2), groups=3, in_zero=7, out_zero=11, clamp=NO_CLAMP),
    Product((6, 5), 32, 32, (3, 3), groups=4, spread=6.0, out_zero=3, clamp=NO_CLAMP),
    Product((1, 9), 48, 48, (3, 3), groups=3),
    Product((9, 1), 16, 24, (3, 3), groups=2, in_zero=127),
    Product((7, 8), 24, 21, (3, 2), (1, 2), padding=((0, 2), (1, 0)), groups=3),
    Product((6, 6), 12, 10, (3, 3), groups=2, in_zero=5, out_zero=-4, clamp=NO_CLAMP),
    Product((5, 7), 4, 6, (3, 3), groups=2),
    Product((8, 7), 32, 8, (1, 1), (2, 3), groups=2),
    Product((4, 5), 16, 16, (3, 3), groups=2, weight=-127, in_zero=127, clamp=NO_CLAMP),
    Product((9, 7), 8, 8, (2, 2), (3, 3), padding=((1, 0), (1, 0)), groups=2),
    Product((9, 5), 8, 4, (3, 3), dilations=(2, 1), padding=((2, 2), (1, 1)), groups=2),
    Product((3, 3), 8, 8, (5, 5), groups=2),
    Product((2, 4), 2200, 8, (1, 2), (1, 2), groups=2),
    Product((3, 3), 24, 14, (3, 3), groups=2, bias=1 << 29),
]
"""In words and not, whole fours of output channels and not, gathered windows, maps of one row and
of one column, strides, holes between windows, windows beyond the image, carried sums."""


LINES = [
    Product((1, 14), 6, 5, (1, 5)),
    Product((1, 300), 16, 8, (1, 3)),
    Product((1, 500), 3, 6, (1, 7), (1, 2), in_zero=5, clamp=NO_CLAMP, out_zero=9),
    Product((1, 1201), 1, 4, (1, 16), (1, 3)),
    Product((1, 7), 5, 4, (1, 2), (1, 5), padding=((0, 0), (1, 0))),
    Product((1, 3), 3, 4, (1, 9), in_zero=127),
    Product((1, 4), 1100, 4, (1, 2), (1, 2)),
    Product((1, 200), 9, 9, (1, 1), (1, 2)),
]
"""One piece and several, in words and not, holes between windows, windows beyond the line."""

CARRIED = [
    Product((3, 3), 8, 7, (3, 3), bias=1 << 29),
    Product((1, 3), 8, 4, bias=1 << 29, out_zero=0, clamp=NO_CLAMP),
    Product((3, 2), 1200, 5),
    Product((3, 3), 200, 6, (3, 3), weight=127, in_zero=127, clamp=NO_CLAMP),
    Product((2, 3), 201, 4, (2, 3), weight=-127),
    Product((), 1031, 6, weight=127),
    Product((), 4000, 8, clamp=NO_CLAMP, out_zero=3),
]
"""Sums of more than 24 bits: by their biases, by their length, in runs that divide and that do
not."""


@pytest.fixture(autouse=True)
def only_these_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        variants,
        "SPECIALIZED",
        (*pointwise.VARIANTS, conv2d_line.LINE, conv2d.RING, conv2d.GROUPED_RING),
    )


def test_some_of_each_equal_the_reference(tmp_path: Path) -> None:
    some = [PIXELS[2], WINDOWS[1], WINDOWS[3], LINES[0], CARRIED[0], GROUPS[1], GROUPS[5]]
    assert_equal_on_dsp(product_graph(some), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("rounding", Rounding)
def test_pixels_equal_the_reference(rounding: Rounding, tmp_path: Path) -> None:
    graph = product_graph(PIXELS, rounding)
    assert variant_names(graph) == [POINTWISE] * len(PIXELS)
    assert_equal_on_dsp(graph, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("rounding", Rounding)
def test_windows_equal_the_reference(rounding: Rounding, tmp_path: Path) -> None:
    graph = product_graph(WINDOWS, rounding)
    assert variant_names(graph) == [RING] * len(WINDOWS)
    assert_equal_on_dsp(graph, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("rounding", Rounding)
def test_groups_equal_the_reference(rounding: Rounding, tmp_path: Path) -> None:
    graph = product_graph(GROUPS, rounding)
    assert variant_names(graph) == [GROUPED] * len(GROUPS)
    assert_equal_on_dsp(graph, tmp_path)


@pytest.mark.slow
def test_random_groups_equal_the_reference(tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    graph = product_graph([random_groups(rng) for _ in range(16)], seed=11)
    assert set(variant_names(graph)) == {GROUPED}
    assert_equal_on_dsp(graph, tmp_path)


def test_pixels_of_groups_that_fill_no_word_are_left_to_the_portable_kernel() -> None:
    layers = [Product((3, 3), 9, 9, (3, 3), groups=3), Product((3, 3), 4, 8, (3, 3), groups=4)]
    assert variant_names(product_graph(layers)) == ["portable"] * 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_random_layers_equal_the_reference(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    rounding = Rounding.SINGLE if seed == 3 else Rounding.DOUBLE
    graph = product_graph([random_product(rng) for _ in range(16)], rounding, seed)
    assert {POINTWISE, RING} <= set(variant_names(graph)) <= {POINTWISE, RING, LINE}
    assert_equal_on_dsp(graph, tmp_path)


def fits_its_operand(layer: Product) -> bool:
    """Whether a layer's kernel allows its result to begin where its operand does."""
    graph = product_graph([layer])
    (demand,) = demands_of(graph, choose_variants(graph, DSP)).values()
    assert demand.overlap is not None
    return demand.overlap.rising <= 0


def shares_memory(graph: Graph) -> list[bool]:
    schedule = make_schedule(graph, demands_of(graph, choose_variants(graph, DSP)))
    places = [schedule.placements[name] for name in schedule.graph.outputs]
    return [place.alias_of is not None or place.overlaps is not None for place in places]


SAME = Product((16, 6), 8, 8, (3, 3))


def test_results_take_their_operands_place() -> None:
    assert fits_its_operand(SAME)
    assert fits_its_operand(replace(SAME, out_c=5))
    assert fits_its_operand(replace(SAME, strides=(2, 2), out_c=32))
    assert fits_its_operand(replace(SAME, groups=2))
    assert fits_its_operand(Product((5, 5), 16, 16))
    assert not fits_its_operand(Product((9, 9), 16, 20))
    assert fits_its_operand(Product((1, 40), 16, 12, (1, 3), padding=((0, 0), (0, 2))))
    assert fits_its_operand(Product((), 16, 16))


def test_results_stay_away_from_rows_that_are_still_needed() -> None:
    # All padding before the image: output row 0 needs no row of the image, but lies on one.
    assert not fits_its_operand(replace(SAME, padding=((3, 0), (1, 1))))
    # The fourfold channels of a halved image: each row takes the place of two.
    assert not fits_its_operand(replace(SAME, strides=(2, 2), out_c=40))
    tall = Product((40, 2), 4, 9, (1, 1), (2, 1))
    assert not fits_its_operand(tall)


@pytest.mark.slow
def test_rows_in_place_equal_the_reference(tmp_path: Path) -> None:
    layers = [
        SAME,
        replace(SAME, strides=(2, 2), out_c=31),
        replace(SAME, groups=2, out_c=6),
        replace(SAME, groups=4, strides=(2, 2), out_c=32),
        replace(SAME, kernel=(2, 2), padding=((0, 1), (0, 1))),
        replace(SAME, kernel=(5, 3), strides=(3, 1)),
        Product((31, 5), 64, 61),
    ]
    graph = product_graph(layers)
    assert all(shares_memory(graph))
    assert_equal_on_dsp(graph, tmp_path)


def test_weights_that_do_not_pair_are_left_to_the_portable_kernel() -> None:
    lowest = Product((2, 2), 8, 4, weight=-128)
    assert variant_names(product_graph([lowest])) == ["portable"]
    assert variant_names(product_graph([replace(lowest, weight=-127)])) == [POINTWISE]
    grouped = Product((3, 3), 8, 8, (3, 3), weight=-128, groups=2)
    assert variant_names(product_graph([grouped])) == ["portable"]


@pytest.mark.slow
def test_lines_equal_the_reference(tmp_path: Path) -> None:
    graph = product_graph(LINES)
    assert variant_names(graph) == [LINE] * len(LINES)
    assert_equal_on_dsp(graph, tmp_path)


def test_long_lines_are_not_widened_whole() -> None:
    graph = product_graph([Product((1, 1000), 64, 64, (1, 3))])
    (demand,) = demands_of(graph, choose_variants(graph, DSP)).values()
    assert demand.scratch_bytes <= 2048 + 64


@pytest.mark.slow
@pytest.mark.parametrize("rounding", Rounding)
def test_large_sums_are_carried(rounding: Rounding, tmp_path: Path) -> None:
    graph = product_graph(CARRIED, rounding)
    assert "portable" not in variant_names(graph)
    assert all(must_carry(graph, node) for node in graph.nodes)
    assert_equal_on_dsp(graph, tmp_path)


def test_weights_take_a_byte_each() -> None:
    graph: Graph = product_graph([Product((), 640, 128), Product((4, 4), 64, 64, (3, 3))])
    choices = choose_variants(graph, DSP)
    sources = generate(make_schedule(graph, demands_of(graph, choices)), "net", choices=choices)
    per_channel = 4 * (2 + 1)
    weights = 640 * 128 + 9 * 64 * 64
    assert sources.weight_bytes <= weights + per_channel * (128 + 64)
