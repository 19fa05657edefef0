"""Pools and means on cores with DSP: four channels at a time, division by multiplication."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.support.dsp_layers import assert_equal_on_dsp, variant_names
from tests.support.graphs import GraphBuilder
from tinyflow.ir import RELU6, Clamp, DType, Graph, Op, QuantParams, Rounding, Shape
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.quantize import attach_integers

QUANT = QuantParams.per_tensor(0.04, -11)
SAME = ((1, 1), (1, 1))
WINDOWS = (
    PoolAttrs((2, 2), (2, 2)),
    PoolAttrs((3, 3), (2, 2), SAME, Clamp(-1.0, 2.5)),
    PoolAttrs((1, 1), (2, 1), clamp=RELU6),
    PoolAttrs((1, 2), (1, 1), ((0, 0), (0, 1)), Clamp(-1.0, 100.0)),
    PoolAttrs((4, 3), (3, 1), ((3, 2), (0, 2))),
    PoolAttrs((5, 6), (5, 6)),
)


def pool_graph(op: Op, shapes: Sequence[Shape], windows: Sequence[PoolAttrs]) -> Graph:
    """Every window over every shape."""
    builder, outputs = GraphBuilder(), []
    for i, shape in enumerate(shapes):
        builder.input(f"x{i}", shape, DType.INT8, QUANT)
        outputs += [builder.node(op, [f"x{i}"], attrs, quant=QUANT) for attrs in windows]
    return attach_integers(builder.build(*outputs))


def inputs_of(graph: Graph) -> dict[str, np.ndarray]:
    return {name: extremes(graph.tensors[name].shape) for name in graph.inputs}


def extremes(shape: Shape) -> np.ndarray:
    """All codes the least, all the greatest, and a few random ones."""
    rng = np.random.default_rng(2)
    ends = [np.full(shape[1:], code, np.int8) for code in (-128, 127)]
    return np.stack([*ends, *rng.integers(-128, 128, (2, *shape[1:]), dtype=np.int8)])


@pytest.mark.parametrize("op", (Op.MAX_POOL, Op.AVERAGE_POOL))
def test_pools(op: Op, tmp_path: Path) -> None:
    graph = pool_graph(op, [(1, 5, 6, channels) for channels in (4, 7, 8, 10, 21)], WINDOWS)
    assert set(variant_names(graph)) == {"dsp"}
    assert_equal_on_dsp(graph, tmp_path / "bundle", inputs=inputs_of(graph))


def test_a_window_of_256_pixels_fits_half_words(tmp_path: Path) -> None:
    graph = pool_graph(Op.AVERAGE_POOL, [(1, 16, 17, 6)], [PoolAttrs((16, 16), (1, 1))])
    assert variant_names(graph) == ["dsp"]
    assert_equal_on_dsp(graph, tmp_path / "bundle", inputs=inputs_of(graph))


def test_larger_windows_and_fewer_channels_stay_portable() -> None:
    large = pool_graph(Op.AVERAGE_POOL, [(1, 17, 17, 4)], [PoolAttrs((16, 17), (1, 1))])
    assert variant_names(large) == ["portable"]
    for op in (Op.MAX_POOL, Op.AVERAGE_POOL):
        assert variant_names(pool_graph(op, [(1, 4, 4, 3)], WINDOWS[:1])) == ["portable"]


def test_division_is_exact_for_every_sum_and_count() -> None:
    """What average_pool_words_s8.h computes, for all that its half-words hold."""
    for count in range(1, 257):
        total = np.arange(-128 * count, 127 * count + 1, dtype=np.int64)
        factor = 2**30 // count + 1
        found = ((factor * total >> 16) + 2**13) >> 14
        expected = np.sign(total) * ((np.abs(total) + count // 2) // count)
        np.testing.assert_array_equal(found, expected, f"{count} pixels")


MEANS: tuple[tuple[Shape, tuple[int, ...], bool], ...] = (
    ((1, 5, 6, 8), (1, 2), False),
    ((1, 16, 16, 4), (1, 2), True),
    ((1, 20, 21, 13), (1, 2), True),
    ((1, 2, 300, 5), (1, 2), False),
    ((1, 4, 3, 9), (2,), True),
    ((1, 2, 600, 4), (2,), False),
    ((1, 7, 16, 12), (2,), False),
    ((1, 5, 4, 24), (2,), False),
    ((1, 7, 3, 5), (1,), False),
    ((1, 9, 6), (1,), True),
)


@pytest.mark.parametrize("rounding", Rounding)
def test_means(rounding: Rounding, tmp_path: Path) -> None:
    builder, outputs = GraphBuilder(), []
    results = ((0.04, -128), (0.013, 127), (0.05, -3), (0.00007, 4))
    for i, (shape, axes, keep) in enumerate(MEANS):
        zero = (-128, 127, 5)[i % 3]
        builder.input(f"x{i}", shape, DType.INT8, QuantParams.per_tensor(0.04, zero))
        for result in (results[i % 4], results[(i + 1) % 4]):
            quant = QuantParams.per_tensor(*result)
            outputs.append(builder.node(Op.MEAN, [f"x{i}"], MeanAttrs(axes, keep), quant=quant))
    graph = attach_integers(builder.build(*outputs), rounding)
    assert set(variant_names(graph)) == {"dsp"}
    assert_equal_on_dsp(graph, tmp_path / "bundle", inputs=inputs_of(graph))


@pytest.mark.parametrize("axes", ((3,), (1, 3), (2, 3)))
def test_means_over_channels_stay_portable(axes: tuple[int, ...]) -> None:
    builder = GraphBuilder()
    builder.input("x", (1, 4, 4, 8), DType.INT8, QUANT)
    y = builder.node(Op.MEAN, ["x"], MeanAttrs(axes), quant=QUANT)
    assert variant_names(attach_integers(builder.build(y))) == ["portable"]
