"""DETECTION: boxes of a single-shot detector, from its raw outputs, without duplicates.

Scores are the softmax of a position's logits. The best ``candidates`` pairs of position and class
above ``score_threshold`` are decoded in descending order of score, and a box is dropped where it
overlaps an earlier one of its class by more than ``iou_threshold`` (greedy non-maximum
suppression), until there are ``detections`` boxes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spec import OpSpec, ShapeError
from tinyflow.ir.tensor import Shape

LARGEST_GROWTH = float(np.log(1000 / 16))
"""No box is more than 62.5 times as wide or high as its anchor, nor less than that part of it."""

COLUMNS = 6
"""Of a row of the result: left, top, right, bottom in pixels, score, class."""


@dataclass(frozen=True)
class DetectionAttrs(Attrs):
    """``image`` is (height, width) in pixels. A delta is multiplied by its variance; the class
    ``background`` is nothing that is found."""

    image: tuple[int, int]
    background: int
    score_threshold: float = 0.02
    iou_threshold: float = 0.45
    candidates: int = 1000
    detections: int = 200
    centre_variance: float = 0.1
    size_variance: float = 0.2


def infer(attrs: DetectionAttrs, logits: Shape, deltas: Shape, anchors: Shape) -> Shape:
    """logits [1, n, classes], deltas [1, n, 4] (x, y, width, height), constant anchors [n, 4]
    (centre x, centre y, width, height in pixels) -> [1, detections, 6], rows of zeros last."""
    if len(logits) != 3 or not 0 <= attrs.background < logits[-1]:
        raise ShapeError(f"its logits {list(logits)} have no class {attrs.background}")
    if deltas != (*logits[:2], 4) or anchors != deltas[1:]:
        raise ShapeError(f"deltas {list(deltas)} and anchors {list(anchors)} do not fit")
    return (logits[0], attrs.detections, COLUMNS)


def evaluate(
    attrs: DetectionAttrs, logits: np.ndarray, deltas: np.ndarray, anchors: np.ndarray
) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    scores = powers / powers.sum(axis=-1, keepdims=True)
    boxes = decode(attrs, deltas, anchors)
    found = [_detect(attrs, s, b) for s, b in zip(scores, boxes, strict=True)]
    return np.stack(found).astype(logits.dtype)


def decode(attrs: DetectionAttrs, deltas: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """[..., n, 4] corners (left, top, right, bottom) inside the image."""
    centre = anchors[:, :2] + anchors[:, 2:] * attrs.centre_variance * deltas[..., :2]
    half = anchors[:, 2:] * growth(attrs, deltas[..., 2:]) / 2
    corners = np.concatenate([centre - half, centre + half], axis=-1)
    height, width = attrs.image
    return np.clip(corners, 0, np.asarray([width, height] * 2, corners.dtype))


def growth(attrs: DetectionAttrs, deltas: np.ndarray) -> np.ndarray:
    """Width or height of a box over its anchor's."""
    return np.exp(np.clip(attrs.size_variance * deltas, -LARGEST_GROWTH, LARGEST_GROWTH))


def _detect(attrs: DetectionAttrs, scores: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Of one picture."""
    result = np.zeros((attrs.detections, COLUMNS))
    allowed = scores.copy()
    allowed[:, attrs.background] = -1
    flat = allowed.ravel()
    order = np.argsort(-flat, kind="stable")[: attrs.candidates]
    count = 0
    for place in order[flat[order] > attrs.score_threshold]:
        position, label = divmod(int(place), scores.shape[1])
        kept = result[:count][result[:count, 5] == label]
        if (overlaps(boxes[position], kept[:, :4]) > attrs.iou_threshold).any():
            continue
        result[count] = (*boxes[position], flat[place], label)
        count += 1
        if count == attrs.detections:
            break
    return result


def overlaps(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of a box [4] with others [k, 4]; 0 for two empty ones."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = np.prod(np.maximum(sides, 0), axis=1)
    union = np.prod(box[2:] - box[:2]) + np.prod(others[:, 2:] - others[:, :2], axis=1) - shared
    return np.divide(shared, union, out=np.zeros_like(union), where=union > 0)


SPEC = OpSpec(Op.DETECTION, DetectionAttrs, ("logits", "deltas", "anchors"), infer, evaluate)
