"""Figures of accuracy, held against counts made by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tinyflow.errors import DataError
from tinyflow.verify.accuracy import Stage, Stages, drop_with_interval, measure


def scores(answers: list[int], classes: int = 3) -> np.ndarray:
    return np.eye(classes, dtype=np.float32)[answers]


LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1])
ORIGINAL = Stage("after passes", scores([0, 1, 2, 0, 1, 2, 0, 0]))  # 7 of 8
COMPILED = Stage("compiled, qemu", scores([0, 1, 2, 0, 1, 0, 1, 1]))  # 6 of 8


def test_all_figures_of_a_classifier() -> None:
    stages = Stages((ORIGINAL, COMPILED), ORIGINAL, COMPILED, "qemu", True)
    found = measure(stages, LABELS, 31.5)
    assert found["metric"] == "top1"
    assert found["samples"] == 8
    assert found["runner"] == "qemu"
    assert found["float"]["top1"] == found["float"]["value"] == 87.5
    assert found["compiled"]["top1"] == 75.0
    assert found["compiled"]["top5"] is None
    assert found["drop_pp"] == 12.5
    assert found["agreement"] == pytest.approx(100 * 5 / 8)
    assert found["logit_sqnr_db"] == 31.5
    assert [s["stage"] for s in found["waterfall"]] == ["after passes", "compiled, qemu"]
    low, high = found["compiled"]["ci95"]
    # Wilson's interval of 6 of 8.
    assert (low, high) == pytest.approx((40.93, 92.85), abs=0.01)


def test_the_interval_of_a_drop_is_that_of_the_paired_difference() -> None:
    found = drop_with_interval(ORIGINAL, COMPILED, LABELS)
    assert found is not None
    drop, (low, high) = found
    difference = np.array([0, 0, 0, 0, 0, 1, 1, -1])
    half = 1.96 * 100 * difference.std(ddof=1) / math.sqrt(8)
    assert drop == pytest.approx(12.5)
    assert (low, high) == pytest.approx((drop - half, drop + half), abs=0.01)
    same = drop_with_interval(ORIGINAL, ORIGINAL, LABELS)
    assert same == (0.0, (0.0, 0.0))


def test_what_was_not_measured_is_null() -> None:
    unlabelled = measure(Stages((), ORIGINAL, COMPILED, "host", True), None, None)
    assert unlabelled["metric"] is None
    assert unlabelled["compiled"] == {"top1": None, "top5": None, "value": None, "ci95": None}
    assert unlabelled["drop_pp"] is None
    assert unlabelled["waterfall"] == []
    assert unlabelled["agreement"] == pytest.approx(100 * 5 / 8)
    quantized = measure(Stages((COMPILED,), None, COMPILED, "host", True), LABELS, None)
    assert quantized["float"]["top1"] is None
    assert quantized["agreement"] is None
    assert quantized["drop_ci95_pp"] is None


def test_maps_have_no_best_class() -> None:
    found = measure(Stages((), ORIGINAL, COMPILED, "host", False), LABELS, 20.0)
    assert found["metric"] is None
    assert found["agreement"] is None
    assert found["logit_sqnr_db"] == 20.0


def test_top5_where_it_says_something() -> None:
    stage = Stage("compiled", np.tile(np.arange(8.0), (2, 1)))
    found = measure(Stages((stage,), None, stage, "host", True), np.array([3, 2]), None)
    assert found["compiled"]["top5"] == 50.0
    assert found["compiled"]["top1"] == 0.0


def test_labels_must_fit_the_classes() -> None:
    stages = Stages((COMPILED,), None, COMPILED, "host", True)
    for labels in (LABELS + 1, LABELS - 1):
        with pytest.raises(DataError, match="the model has 3 outputs"):
            measure(stages, labels, None)
