from __future__ import annotations

import numpy as np
import pytest

from tests.support.graphs import GraphBuilder, random_inputs
from tinyflow.errors import DataError, ModelError
from tinyflow.ir import RELU, Op, execute
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.quantize.calibrate import (
    BINS,
    batch_size,
    check_samples,
    observe_histograms,
    observe_ranges,
)
from tinyflow.quantize.ranges import Range


@pytest.fixture
def graph():
    b = GraphBuilder()
    x = b.input("image", (1, 5, 5, 2))
    w = b.random("w", (3, 3, 3, 2))
    return b.build(b.node(Op.CONV_2D, [x, w], Conv2DAttrs(clamp=RELU), name="conv"))


def test_ranges_are_those_of_all_samples(graph):
    data = random_inputs(graph, 150)
    ranges = observe_ranges(graph, data)
    y = execute(graph, data)["conv:0"]
    assert ranges["image"] == Range(float(data["image"].min()), float(data["image"].max()))
    assert ranges["conv:0"].lo == 0.0
    assert ranges["conv:0"].hi == pytest.approx(float(y.max()))


def test_histograms_count_every_value_once(graph):
    data = random_inputs(graph, 150)
    ranges = observe_ranges(graph, data)
    counts = observe_histograms(graph, data, ranges)
    assert counts["image"].shape == (BINS,)
    assert counts["image"].sum() == data["image"].size
    expected, _ = np.histogram(
        data["image"], bins=BINS, range=(ranges["image"].lo, ranges["image"].hi)
    )
    assert np.abs(counts["image"] - expected).sum() <= 0.001 * data["image"].size


def test_values_outside_the_span_fall_into_the_outermost_bins(graph):
    data = random_inputs(graph, 20)
    counts = observe_histograms(graph, data, {"image": Range(-0.5, 0.5)})["image"]
    assert counts.sum() == data["image"].size
    assert counts[0] >= (data["image"] < -0.5).sum()
    assert counts[-1] >= (data["image"] > 0.5).sum()


def test_progress_ends_at_the_total(graph):
    calls = []
    observe_ranges(graph, random_inputs(graph, 150), lambda *call: calls.append(call))
    assert calls[-1][1:] == (150, 150)
    assert len(calls) == -(-150 // batch_size(graph))


def test_integer_samples_are_taken_as_numbers(graph):
    checked = check_samples(graph, {"image": np.full((2, 5, 5, 2), 7, np.uint8)})
    assert checked["image"].dtype == np.float32


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, r"'image' of shape \[n, 5, 5, 2\] are missing"),
        ({"image": np.zeros((3, 2, 5, 5))}, r"\[3, 2, 5, 5\], the model takes \[n, 5, 5, 2\]"),
        ({"image": np.zeros((5, 5, 2))}, r"\[5, 5, 2\], the model takes \[n, 5, 5, 2\]"),
        ({"image": np.zeros((0, 5, 5, 2))}, r"empty: shape \[0, 5, 5, 2\].*\[n, 5, 5, 2\]"),
        ({"image": np.full((3, 5, 5, 2), np.nan)}, "NaN or infinity, first in sample 0"),
        ({"image": np.full((3, 5, 5, 2), np.inf)}, "NaN or infinity"),
        ({"image": np.full((3, 5, 5, 2), "a")}, "are not numbers"),
        ({"image": np.zeros((3, 5, 5, 2)), "mask": np.zeros(3)}, "'mask', which is no input"),
    ],
)
def test_bad_data_get_a_sentence(graph, data, message):
    with pytest.raises(DataError, match=message):
        check_samples(graph, data)


def test_inputs_must_have_equally_many_samples():
    b = GraphBuilder()
    graph = b.build(b.node(Op.ADD, [b.input("a", (1, 2)), b.input("b", (1, 2))]))
    with pytest.raises(DataError, match="3 for 'a', 4 for 'b'"):
        check_samples(graph, {"a": np.zeros((3, 2)), "b": np.zeros((4, 2))})


def test_a_layer_that_overflows_is_named(graph):
    with pytest.raises(ModelError, match="layer 'conv' computes NaN or infinity"):
        observe_ranges(graph, {"image": np.full((1, 5, 5, 2), 3e38, np.float32)})
