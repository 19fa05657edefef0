"""Convolutions, fully connected layers and depthwise convolutions by vectors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.bundles import write_graph_bundle
from tests.support.depthwise_layers import Depthwise, depthwise_graph, random_depthwise
from tests.support.linux_arm import needs_linux_arm
from tests.support.neon_layers import (
    CORES,
    NANO,
    assert_equal_with_vectors,
    sums_graph,
    variant_names,
)
from tests.support.product_layers import Product, product_graph, random_groups, random_product
from tests.support.random_graphs import random_inputs
from tinyflow.ir import NO_CLAMP, RELU6, Clamp, Rounding
from tinyflow.targets import load_target
from tinyflow.targets.tools import call

pytestmark = needs_linux_arm

PRODUCTS = [
    Product((5, 5), 64, 64),
    Product((4, 6), 16, 8, clamp=RELU6),
    Product((3, 3), 7, 5, in_zero=3, out_zero=-4, clamp=NO_CLAMP),
    Product((2, 3), 1, 1),
    Product((9, 9), 32, 6, in_zero=127, out_zero=0, clamp=Clamp(-0.3, 0.4)),
    Product((3, 2), 48, 11, out_zero=17, clamp=NO_CLAMP, spread=6.0),
    Product((2, 2), 16, 4, weight=-127, in_zero=127, clamp=NO_CLAMP),
    Product((2, 2), 16, 4, weight=-128, clamp=NO_CLAMP),
    Product((2, 4), 20, 4, weight=-128, in_zero=127, clamp=NO_CLAMP),
    Product((2, 2), 8, 4, weight=127, bias=1 << 22),
    Product((2, 2), 8, 4, gain=1000.0, out_zero=0, clamp=NO_CLAMP),
    Product((3, 3), 1200, 4),
    Product((2, 2), 16, 8, bias=1 << 30, out_zero=9, clamp=NO_CLAMP),
    Product((), 640, 12),
    Product((), 130, 10, out_zero=5, clamp=NO_CLAMP),
    Product((7,), 20, 20),
    Product((70,), 32, 9, spread=4.0, gain=40.0, clamp=NO_CLAMP, out_zero=2),
    Product((6, 7), 8, 8, (3, 3)),
    Product((9, 8), 3, 10, (3, 3), (2, 2), in_zero=9),
    Product((5, 4), 5, 7, (2, 3), padding=((0, 1), (2, 0)), in_zero=127),
    Product((8, 8), 16, 8, (1, 1), (2, 2)),
    Product((9, 5), 4, 4, (3, 3), dilations=(2, 2), padding=((2, 2), (2, 2)), in_zero=5),
    Product((3, 3), 4, 4, (5, 5)),
    Product((5, 6), 64, 64, (3, 3), groups=2),
    Product((6, 6), 12, 10, (3, 3), groups=2, in_zero=5, out_zero=-4, clamp=NO_CLAMP),
    Product((4, 4), 64, 8, groups=4, in_zero=5),
    Product((8, 7), 32, 8, (1, 1), (2, 3), groups=2),
]
"""Whole vectors and not, whole blocks and not, windows that are gathered and that are not, the
lowest weights, multipliers above 1, sums at the ends of 32 bits, vectors, tokens, groups."""

DEPTHWISE = [
    Depthwise((7, 6), 16),
    Depthwise((5, 9), 8, (5, 5), (2, 2), in_zero=7, out_zero=-9, clamp=NO_CLAMP),
    Depthwise((4, 4), 27, in_zero=127, clamp=RELU6),
    Depthwise((6, 5), 24, (2, 2), padding=((1, 0), (0, 1)), spread=4.0, gain=40.0),
    Depthwise((3, 3), 8, (7, 7), in_zero=3, clamp=NO_CLAMP),
    Depthwise((5, 5), 9, weight=-128, clamp=NO_CLAMP),
    Depthwise((5, 5), 16, weight=-127, in_zero=127, clamp=NO_CLAMP),
    Depthwise((5, 5), 40, bias=1 << 29, out_zero=3, clamp=NO_CLAMP),
    Depthwise((4, 4), 8, (1, 1)),
]
OTHERS = [
    Depthwise((4, 4), 8, multiplier=2),
    Depthwise((4, 4), 7),
    Depthwise((14, 14), 8, (12, 12)),
]
"""Several channels for one, no eight channels, more taps than there is room for."""


@pytest.mark.parametrize("rounding", Rounding)
def test_products(tmp_path: Path, rounding: Rounding) -> None:
    graph = product_graph(PRODUCTS, rounding)
    assert variant_names(graph) == {"vectors of products"}
    assert_equal_with_vectors(graph, tmp_path)


@pytest.mark.parametrize("rounding", Rounding)
def test_depthwise(tmp_path: Path, rounding: Rounding) -> None:
    graph = depthwise_graph(DEPTHWISE, rounding)
    assert variant_names(graph) == {"vectors of channels"}
    assert_equal_with_vectors(graph, tmp_path)


def test_depthwise_layers_that_have_no_vectors() -> None:
    assert variant_names(depthwise_graph(OTHERS)) == {"portable"}


def test_random_layers(tmp_path: Path) -> None:
    rng = np.random.default_rng(61)
    products = [random_product(rng) for _ in range(12)]
    groups = [random_groups(rng) for _ in range(4)]
    assert_equal_with_vectors(
        product_graph([*products, *groups], Rounding.DOUBLE, 7), tmp_path / "p", 2
    )
    depthwise = [
        replace(layer, channels=int(rng.integers(8, 40)), multiplier=1)
        for layer in (random_depthwise(rng) for _ in range(8))
    ]
    assert_equal_with_vectors(
        depthwise_graph(depthwise, Rounding.SINGLE, 8), tmp_path / "d", 2, here=True
    )


def test_plain_c_stands_for_vectors_on_this_computer(tmp_path: Path) -> None:
    for i, rounding in enumerate(Rounding):
        convolutions = product_graph([PRODUCTS[2], PRODUCTS[17], PRODUCTS[24]], rounding)
        assert_equal_with_vectors(convolutions, tmp_path / f"p{i}", cores=[NANO], here=True)
    layers = depthwise_graph(DEPTHWISE[2:4])
    assert_equal_with_vectors(layers, tmp_path / "d", cores=[NANO], here=True)


def test_the_kernels_compile_without_warnings(tmp_path: Path) -> None:
    sums = sums_graph(2, (1, 3, 7), Rounding.DOUBLE, 1)
    graphs = [product_graph(PRODUCTS[::5]), depthwise_graph(DEPTHWISE[1:3]), sums]
    strict = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wpedantic"]
    includes = [f"-I{part}" for part in ("include", "kernels", "src")]
    for i, graph in enumerate(graphs):
        folder = write_graph_bundle(tmp_path / str(i), graph, random_inputs(graph, 1), NANO)
        for name in ("host", *CORES):
            target = load_target(name)
            flags = [*target.flags, *strict, "-Werror", *includes]
            call([target.compiler, *flags, "-c", "src/net.c", "-o", "/dev/null"], "test", folder)
