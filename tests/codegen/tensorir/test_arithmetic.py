"""Fixed-point arithmetic in TensorIR equals that of the integer reference, bit by bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.random_graphs import random_graph
from tests.support.tensorir import call_kernel
from tinyflow.codegen.tvm.arithmetic import (
    high_product,
    reduce,
    requantize,
    rounding_shift,
    saturate,
)
from tinyflow.codegen.tvm.builder import Builder
from tinyflow.ir import Op, Rounding
from tinyflow.quantize import fixed_point

COUNT = 4096
SHIFTS = (-31, 7)
"""The least and the greatest."""


def a_builder() -> Builder:
    """Of a function that takes only what it is told."""
    graph = random_graph(0, (Op.QUANTIZE,), max_nodes=1)
    return Builder(graph, graph.nodes[0])


def values_below(bits: np.ndarray, seed: int) -> np.ndarray:
    """int32 values of either sign, of any size up to so many bits, and the extremes of them."""
    rng = np.random.default_rng(seed)
    largest = (np.int64(1) << bits.astype(np.int64)) - 1
    sizes = 2.0 ** rng.uniform(0, bits)
    found = np.minimum(sizes.astype(np.int64), largest) * rng.choice([-1, 1], bits.size)
    found[:6] = [0, 1, -1, largest[3], -largest[4], -largest[5] - 1]
    return found.astype(np.int32)


@pytest.mark.parametrize("rounding", Rounding)
def test_requantize(rounding: Rounding, tmp_path: Path) -> None:
    rng = np.random.default_rng(64)
    shift = rng.integers(SHIFTS[0], SHIFTS[1] + 1, COUNT).astype(np.int8)
    shift[:2] = SHIFTS
    x = values_below(31 - np.maximum(shift, 0), 7)
    multiplier = rng.integers(2**30, 2**31, COUNT).astype(np.int32)
    multiplier[:3] = [2**31 - 1, 2**30, 2**30]
    build = a_builder()
    with build:
        values = build.workspace("x", (COUNT,), "int32")
        multipliers = build.table("multiplier", multiplier)
        table = build.table("shift", shift)
        out = build.workspace("y", (COUNT,), "int32")
        with build.loop("i", COUNT) as i:
            build.store(out, requantize(values[i], multipliers[i], table[i]), i)
    y = np.zeros(COUNT, dtype=np.int32)
    call_kernel(build.kernel(), (x, multiplier, shift, y), tmp_path, rounding)
    np.testing.assert_array_equal(y, fixed_point.requantize(x, multiplier, shift, rounding))


@pytest.mark.parametrize("rounding", Rounding)
def test_reduce(rounding: Rounding, tmp_path: Path) -> None:
    x = values_below(np.full(COUNT, 31), 11)
    right = np.arange(COUNT, dtype=np.int8) % 32
    multiplier = np.random.default_rng(12).integers(2**30, 2**31, COUNT).astype(np.int32)
    build = a_builder()
    with build:
        values = build.workspace("x", (COUNT,), "int32")
        multipliers = build.table("multiplier", multiplier)
        table = build.table("right", right)
        out = build.workspace("y", (COUNT,), "int32")
        with build.loop("i", COUNT) as i:
            shift = table[i].astype("int32")
            build.store(out, reduce(values[i], multipliers[i], shift, rounding), i)
    y = np.zeros(COUNT, dtype=np.int32)
    call_kernel(build.kernel(), (x, multiplier, right, y), tmp_path, rounding)
    np.testing.assert_array_equal(y, fixed_point.requantize(x, multiplier, -right, rounding))


@pytest.mark.parametrize("exponent", [0, 1, 7, 30, 31])
def test_rounding_shift(exponent: int, tmp_path: Path) -> None:
    x = values_below(np.full(COUNT, 31), 3)
    build = a_builder()
    with build:
        values = build.workspace("x", (COUNT,), "int32")
        exponents = build.table("exponent", np.zeros(1, dtype=np.int8))
        known = build.workspace("known", (COUNT,), "int32")
        read = build.workspace("read", (COUNT,), "int32")
        with build.loop("i", COUNT) as i:
            build.store(known, rounding_shift(values[i], exponent), i)
            build.store(read, rounding_shift(values[i], exponents[0].astype("int32")), i)
    found = np.zeros((2, COUNT), dtype=np.int32)
    call_kernel(build.kernel(), (x, np.array([exponent], np.int8), *found), tmp_path)
    expected = fixed_point.divide_by_power(x, exponent)
    np.testing.assert_array_equal(found, np.stack([expected, expected]))


def test_high_products_and_codes(tmp_path: Path) -> None:
    a, b = (values_below(np.full(COUNT, 31), seed) for seed in (5, 6))
    a, b = np.maximum(a, -(2**31) + 1), np.maximum(b, -(2**31) + 1)
    build = a_builder()
    with build:
        left, right = (
            build.workspace("a", (COUNT,), "int32"),
            build.workspace("b", (COUNT,), "int32"),
        )
        products = build.workspace("products", (COUNT,), "int32")
        codes = build.workspace("codes", (COUNT,), "int8")
        with build.loop("i", COUNT) as i:
            build.store(products, high_product(left[i], right[i]), i)
            build.store(codes, saturate(left[i], -7, -100, 90), i)
    found, code = np.zeros(COUNT, dtype=np.int32), np.zeros(COUNT, dtype=np.int8)
    call_kernel(build.kernel(), (a, b, found, code), tmp_path)
    np.testing.assert_array_equal(found, fixed_point.high_product(a, b))
    np.testing.assert_array_equal(code, np.clip(a.astype(np.int64) - 7, -100, 90))
