"""SSDLite: its anchors, the order of its outputs, and the way from both to boxes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tinyflow.ir.ops.detection import SPEC, DetectionAttrs, decode, overlaps
from tinyflow.models import build_model, example_inputs, randomize
from tinyflow.models.anchors import level_sides, make_anchors

torch = pytest.importorskip("torch")

AT_320 = DetectionAttrs((320, 320), background=2)


def test_levels_and_anchors_at_320() -> None:
    assert level_sides(320) == (20, 10, 5, 3, 2, 1)
    anchors = make_anchors()
    assert anchors.shape == (3234, 4)
    second_place = anchors[6:12]
    assert np.all(second_place[:, :2] == (24, 8))
    wide, high = 48 * math.sqrt(2), 48 / math.sqrt(2)
    third = 48 * math.sqrt(3), 48 / math.sqrt(3)
    square = math.sqrt(48 * 100)
    expected = [(48, 48), (square, square), (wide, high), (high, wide), third, third[::-1]]
    np.testing.assert_allclose(second_place[:, 2:], expected)
    np.testing.assert_allclose(anchors[-6, :], (160, 160, 304, 304))
    np.testing.assert_allclose(anchors[-5, 2:], math.sqrt(304 * 320))


def test_the_first_anchor_below_the_first_row() -> None:
    assert tuple(make_anchors()[20 * 6, :2]) == (8, 24)


@pytest.mark.parametrize("name", ["tinynext_s_ssdlite", "edgenext_s_ssdlite"])
def test_outputs_are_one_row_per_anchor(name: str) -> None:
    """Where coarse maps round up, too."""
    for side in (320, 192):
        with torch.device("meta"):
            logits, deltas = build_model(name, 7, side)(torch.zeros(1, 3, side, side))
        count = len(make_anchors(side))
        assert logits.shape == (1, count, 8)
        assert deltas.shape == (1, count, 4)


def test_outputs_are_ordered_by_level_place_and_shape() -> None:
    """The box head of one level, set to tell shape and coordinate, shows where its values land."""
    model = build_model("tinynext_s_ssdlite", 3, 64)
    for level, head in enumerate(model.box_head):
        torch.nn.init.zeros_(head[-1].weight)
        head[-1].bias.data = 1000.0 * level + torch.arange(24.0)
    _, deltas = model(torch.zeros(1, 3, 64, 64))
    sides = level_sides(64)
    assert sides == (4, 2, 1, 1, 1, 1)
    expected = np.concatenate(
        [
            np.tile(1000.0 * level + np.arange(24.0), side**2).reshape(-1, 4)
            for level, side in enumerate(sides)
        ]
    )
    np.testing.assert_array_equal(deltas[0].detach().numpy(), expected)


def test_decoding() -> None:
    anchors = np.array([[100.0, 60, 40, 20]] * 3)
    deltas = np.array(
        [
            [0, 0, 0, 0],
            [1, -2, 5 * math.log(2), 5 * math.log(0.5)],
            [0, 0, 1000, -1000],
        ]
    )
    expected = [
        [80, 50, 120, 70],
        [104 - 40, 56 - 5, 104 + 40, 56 + 5],
        [0, 60 - 20 / 62.5 / 2, 320, 60 + 20 / 62.5 / 2],
    ]
    np.testing.assert_allclose(decode(AT_320, deltas, anchors), expected)


def test_overlaps() -> None:
    box = np.array([0.0, 0, 10, 10])
    others = np.array([[5.0, 5, 15, 15], [10, 0, 20, 10], [0, 0, 10, 10], [2, 2, 4, 4]])
    np.testing.assert_allclose(overlaps(box, others), [25 / 175, 0, 1, 4 / 100])
    empty = np.zeros(4)
    assert overlaps(empty, empty[None]) == 0


def suppress(boxes: np.ndarray, scores: np.ndarray, overlap: float) -> list[int]:
    """Indices of the boxes that stay, the best one first: all of one class, none below the
    threshold."""
    logits = np.stack([np.log(scores / (1 - scores)), np.zeros(len(scores))], axis=1)
    low, high = boxes[:, :2], boxes[:, 2:]
    anchors = np.concatenate([(low + high) / 2, high - low], axis=1)
    attrs = replace(AT_320, background=1, iou_threshold=overlap, detections=max(len(boxes), 1))
    rows = SPEC.evaluate(attrs, logits[None], np.zeros((1, len(boxes), 4)), anchors)[0]
    rows = rows[rows[:, 4] > 0]
    assert np.all(np.diff(rows[:, 4]) <= 1e-12)
    return [int(np.flatnonzero(np.isclose(boxes, row[:4]).all(axis=1))[0]) for row in rows]


def test_suppression_is_by_kept_boxes_only() -> None:
    """The second box suppresses nothing, as the first has suppressed it."""
    boxes = np.array([[0.0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]])
    scores = np.array([0.9, 0.8, 0.7])
    first_second = 6 / 14
    assert suppress(boxes, scores, 0.4) == [0, 2]
    assert suppress(boxes, scores, first_second + 1e-9) == [0, 1, 2]
    assert suppress(boxes, scores[::-1], 0.4) == [2, 0]
    assert suppress(boxes, np.full(3, 0.5), 0.4) == [0, 2]
    assert suppress(np.empty((0, 4)), np.empty(0), 0.4) == []


def slow_nms(boxes: np.ndarray, scores: np.ndarray, overlap: float) -> list[int]:
    """Suppression by its definition: a box stays unless a better one that stays overlaps it."""
    kept: list[int] = []
    for index in sorted(range(len(boxes)), key=lambda i: (-scores[i], i)):
        a = boxes[index]
        for other in kept:
            b = boxes[other]
            width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
            height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
            areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
            if width * height > overlap * (sum(areas) - width * height):
                break
        else:
            kept.append(index)
    return kept


def test_suppression_of_random_boxes() -> None:
    random = np.random.default_rng(1)
    for _ in range(20):
        low = random.uniform(0, 60, (40, 2))
        boxes = np.concatenate((low, low + random.uniform(5, 40, (40, 2))), axis=1)
        scores = random.integers(1, 20, 40) / 20
        assert suppress(boxes, scores, 0.45) == slow_nms(boxes, scores, 0.45)


def detect(logits: np.ndarray, attrs: DetectionAttrs) -> np.ndarray:
    """Rows [n, 6] of the anchors of 320 pixels, where no delta moves one."""
    rows = SPEC.evaluate(attrs, logits[None], np.zeros((1, 3234, 4)), make_anchors())[0]
    return rows[rows[:, 4] > 0]


def test_detections() -> None:
    """Two anchors of one place and class overlap, a third is of another class."""
    logits = np.zeros((3234, 3))
    logits[:, 2] = 20
    place = (5 * 20 + 7) * 6
    logits[place] = (10, 0, 0)
    logits[place + 1] = (9, 0, 0)
    logits[place + 2] = (0, 8, 0)
    found = detect(logits, AT_320)
    assert list(found[:, 5]) == [0, 1]
    powers = np.exp([[10.0, 0, 0], [0, 8, 0]])
    np.testing.assert_allclose(found[:, 4], powers.max(axis=1) / powers.sum(axis=1))
    np.testing.assert_allclose(found[0, :4], [96, 64, 144, 112])
    assert len(detect(logits, replace(AT_320, detections=1))) == 1
    assert len(detect(np.tile([0.0, 0, 20], (3234, 1)), AT_320)) == 0


def test_only_the_best_pairs_are_candidates() -> None:
    logits = np.zeros((3234, 2))
    logits[:, 0] = np.linspace(0, 1, 3234)
    attrs = replace(AT_320, background=1, iou_threshold=1.0, candidates=6)
    found = detect(logits, attrs)
    assert len(found) == 6
    np.testing.assert_allclose(found[:, 4], 1 / (1 + np.exp(-logits[:-7:-1, 0])))


def test_a_network_detects_something() -> None:
    model = randomize(build_model("tinynext_s_ssdlite", 5, 128), seed=1)
    with torch.no_grad():
        logits, deltas = (t.double().numpy() for t in model(example_inputs(model, 1)))
    attrs = DetectionAttrs((128, 128), background=logits.shape[-1] - 1)
    rows = SPEC.evaluate(attrs, logits, deltas, make_anchors(128))[0]
    found = rows[rows[:, 4] > 0]
    assert len(found) > 10
    assert np.all(np.diff(found[:, 4]) <= 0)
    assert found[:, :4].min() >= 0
    assert found[:, :4].max() <= 128
