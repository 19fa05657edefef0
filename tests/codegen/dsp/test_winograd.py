"""Convolutions by Winograd's F(2,3): exact sums, every kind of border, place and requantization."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.dsp_layers import DSP, assert_equal_on_dsp, variant_names
from tests.support.product_layers import Product, product_graph, random_product
from tinyflow.codegen.c import Feature, Goal, choose_variants, demands_of
from tinyflow.codegen.c.dsp.winograd import plan as plans
from tinyflow.codegen.c.dsp.winograd.plan import Plan
from tinyflow.codegen.c.dsp.winograd.stream import pack, transform
from tinyflow.codegen.schedule import make_schedule
from tinyflow.ir import NO_CLAMP, RELU6, Clamp, Graph, Rounding

LAYER = Product((6, 6), 8, 4, (3, 3))

# Odd sizes, every padding that keeps most pixels, other heights, channels with and without a loop.
SHAPES = {
    "same": LAYER,
    "odd rows": replace(LAYER, size=(7, 6), in_c=12, out_c=12),
    "odd columns": replace(LAYER, size=(6, 7)),
    "odd both": replace(LAYER, size=(7, 7), in_c=16, out_c=8),
    "valid": replace(LAYER, size=(8, 9), padding=((0, 0), (0, 0))),
    "left": replace(LAYER, size=(6, 8), padding=((2, 0), (2, 0))),
    "right": replace(LAYER, size=(6, 8), in_c=8, out_c=8, padding=((0, 2), (0, 2))),
    "wide border": replace(LAYER, size=(3, 4), padding=((4, 3), (5, 4))),
    "one row": replace(LAYER, size=(6, 8), kernel=(1, 3)),
    "five rows": replace(LAYER, size=(6, 8), kernel=(5, 3), in_c=20),
    "two rows": replace(LAYER, size=(5, 8), kernel=(2, 3), in_c=28),
    "many channels": replace(LAYER, size=(4, 4), in_c=64, out_c=32),
}
# Zero points, clamps, and scales that no short form serves: the rows come one by one.
CODES = {
    "zero points": replace(LAYER, in_zero=127, out_zero=5, clamp=NO_CLAMP),
    "clamp": replace(LAYER, in_zero=-3, out_zero=-128, clamp=RELU6),
    "narrow clamp": replace(LAYER, out_zero=37, clamp=Clamp(-0.5, 0.75)),
    "mixed shifts": replace(LAYER, spread=4.0, out_zero=-20, clamp=NO_CLAMP, out_c=16),
    "left shifts": replace(LAYER, gain=400.0, spread=3.0, out_zero=0, clamp=NO_CLAMP),
    "lowest weights": replace(LAYER, weight=-128, in_zero=0),
    "highest weights": replace(LAYER, weight=127, in_zero=127, gain=0.05),
    "large biases": replace(LAYER, bias=1 << 24),
}


def check(layers: dict[str, Product], folder: Path, rounding: Rounding = Rounding.DOUBLE) -> Graph:
    graph = product_graph(list(layers.values()), rounding)
    assert dict(zip(layers, variant_names(graph), strict=True)) == dict.fromkeys(
        layers, "winograd_dsp"
    )
    assert_equal_on_dsp(graph, folder / "bundle")
    return graph


def test_products_of_planes_are_twice_the_sums() -> None:
    rng = np.random.default_rng(1)
    weight = rng.integers(-128, 128, (4, 2, 3, 8), dtype=np.int8)
    d = rng.integers(-128, 128, (2, 4, 8))
    sums, differences, left, right = transform(weight)
    columns = np.moveaxis(d, 1, 0)
    p = (sums * (columns[1] + columns[2])).sum(axis=(1, 2))
    q = (differences * (columns[2] - columns[1])).sum(axis=(1, 2))
    y0 = p + q + (left * (columns[0] - columns[2])).sum(axis=(1, 2))
    y1 = p - q + (right * (columns[1] - columns[3])).sum(axis=(1, 2))
    np.testing.assert_array_equal(y0, 2 * (weight * d[:, 0:3]).sum(axis=(1, 2, 3)))
    np.testing.assert_array_equal(y1, 2 * (weight * d[:, 1:4]).sum(axis=(1, 2, 3)))
    assert np.abs([sums, differences, left, right]).max() < 1 << 15


def test_stream_holds_what_a_group_reads() -> None:
    weight = np.zeros((8, 1, 3, 4), np.int8)
    weight[5, 0] = [[1, 2, 3, 4], [10, 20, 30, 40], [5, 6, 7, 8]]
    stream = pack(weight, np.arange(8), [np.arange(8) + 100, np.arange(8) + 200])
    halves = stream.view(np.int16).reshape(2, -1, 2)
    assert not stream[0, 4:20].any()
    np.testing.assert_array_equal(stream[1, :4], [8, 10, 12, 14])
    # Plane by plane, step by step: channels 0 and 2, then 1 and 3, of the group's second channel.
    np.testing.assert_array_equal(halves[1, [5, 9]], [[16, 40], [28, 52]])
    np.testing.assert_array_equal(halves[1, [13, 17]], [[-4, -20], [-12, -28]])
    np.testing.assert_array_equal(halves[1, [21, 25]], [[2, 6], [4, 8]])
    requant = [104, 204, 105, 205, 106, 206, 107, 207]
    np.testing.assert_array_equal(stream[1, 28:36], requant)
    np.testing.assert_array_equal(halves[1, [37, 41]], [[-10, -14], [-12, -16]])
    np.testing.assert_array_equal(stream[1, 44:], requant)


@pytest.mark.parametrize("names", np.array_split(list(SHAPES), 3), ids=("a", "b", "c"))
def test_shapes(names: np.ndarray, tmp_path: Path) -> None:
    check({name: SHAPES[name] for name in names}, tmp_path)


def test_codes(tmp_path: Path) -> None:
    check(CODES, tmp_path)


def test_single_rounding(tmp_path: Path) -> None:
    check({"same": LAYER, "mixed": CODES["mixed shifts"]}, tmp_path, Rounding.SINGLE)


def random_layer(rng: np.random.Generator) -> Product:
    """Any layer that Winograd's products may compute."""
    kernel_h = int(rng.integers(1, 6))
    rows, columns = rng.integers(0, kernel_h, 2), rng.integers(0, 3, 2)
    return replace(
        random_product(rng),
        size=(int(rng.integers(kernel_h + 3, 15)), int(rng.integers(6, 15))),
        in_c=4 * int(rng.integers(2, 9)),
        out_c=4 * int(rng.integers(1, 9)),
        kernel=(kernel_h, 3),
        strides=(1, 1),
        dilations=(1, 1),
        padding=((int(rows[0]), int(rows[1])), (int(columns[0]), int(columns[1]))),
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_random_layers(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    rounding = Rounding.SINGLE if seed == 2 else Rounding.DOUBLE
    layers = [random_layer(rng) for _ in range(12)]
    fitting = [x for x in layers if variant_names(product_graph([x])) == ["winograd_dsp"]]
    assert len(fitting) >= 6
    assert_equal_on_dsp(product_graph(fitting, rounding, seed), tmp_path / "bundle", count=4)


def test_weights_in_ram(tmp_path: Path) -> None:
    """Where flash is slow: shorter loops, and the stream is read from its copy."""
    layers = [SHAPES["odd both"], CODES["left shifts"], SHAPES["two rows"]]
    graph = product_graph(layers)
    choices = choose_variants(graph, DSP | {Feature.SLOW_FLASH}, Goal.SPEED)
    assert {choices[node.name].name for node in graph.nodes} == {"winograd_dsp, staged"}
    assert_equal_on_dsp(graph, tmp_path / "bundle", target="nucleo-l4r5zi")


def test_bands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strips without room for all rows: these are computed in bands, and never in place."""
    layer = replace(LAYER, size=(11, 6), out_c=8)
    monkeypatch.setattr(plans, "USUAL_SCRATCH", 700)
    graph = product_graph([layer])
    (node,) = graph.nodes
    plan = Plan.of(graph, node)
    assert plan is not None and plan.band == 6
    assert not demands_of(graph, choose_variants(graph, DSP, Goal.SPEED))[node.name].overwrites
    check({"bands": layer}, tmp_path)


def test_results_take_their_inputs_place_where_they_may() -> None:
    def aliases(layer: Product) -> bool:
        graph = product_graph([layer])
        schedule = make_schedule(graph, demands_of(graph, choose_variants(graph, DSP, Goal.SPEED)))
        return schedule.placements[graph.nodes[0].output].alias_of is not None

    square = replace(LAYER, size=(8, 8), out_c=8)
    assert aliases(square)
    assert aliases(replace(square, padding=((2, 0), (0, 2))))
    assert not aliases(replace(square, padding=((1, 1), (2, 0))))
    assert not aliases(replace(square, padding=((0, 0), (1, 1))))
    assert not aliases(LAYER)


@pytest.mark.parametrize(
    "layer",
    [
        replace(LAYER, kernel=(3, 1)),
        replace(LAYER, kernel=(3, 5)),
        replace(LAYER, strides=(1, 2)),
        replace(LAYER, strides=(2, 1)),
        replace(LAYER, dilations=(2, 1)),
        replace(LAYER, in_c=10),
        replace(LAYER, in_c=4),
        replace(LAYER, out_c=6),
        replace(LAYER, size=(3, 3)),
        replace(LAYER, out_c=16, bias=(1 << 31) - 1),
    ],
)
def test_other_layers_are_left_to_other_kernels(layer: Product) -> None:
    assert variant_names(product_graph([layer])) != ["winograd_dsp"]


@pytest.mark.parametrize("goal", [Goal.BALANCED, Goal.SIZE])
def test_widened_weights_are_for_speed_alone(goal: Goal) -> None:
    assert variant_names(product_graph([LAYER]), goal) != ["winograd_dsp"]
