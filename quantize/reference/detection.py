"""DETECTION in integers, position by position as the C kernel goes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.ir.integer import DetectionForm
from tinyflow.ir.ops.detection import COLUMNS
from tinyflow.quantize.site import Site

_HALF = 1 << 15


def detection(
    site: Site, logits: np.ndarray, deltas: np.ndarray, anchors: np.ndarray
) -> np.ndarray:
    """Int32 [batch, detections, 6] in Q16.16, rows of zeros last."""
    found = [_detect(site, *picture, anchors) for picture in zip(logits, deltas, strict=True)]
    return np.stack(found)


def _detect(site: Site, logits: np.ndarray, deltas: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    attrs: Any = site.node.attrs
    form: Any = site.node.integer
    assert isinstance(form, DetectionForm)
    result = np.zeros((attrs.detections, COLUMNS), np.int32)
    boxes: list[tuple[int, ...]] = []
    for position, label, score in _candidates(site, logits):
        box = _decode(site, deltas[position], anchors[position])
        if any(kept[4] == label and _are_one(form, box, kept) for kept in boxes):
            continue
        result[len(boxes)] = (*(side << 12 for side in box), score << 1, label << 16)
        boxes.append((*box, label))
        if len(boxes) == attrs.detections:
            break
    return result


def _candidates(site: Site, logits: np.ndarray) -> list[tuple[int, int, int]]:
    """(position, class, score in Q15) of the best, in descending order; the lower place first
    where scores are equal."""
    attrs: Any = site.node.attrs
    form: Any = site.node.integer
    codes = logits.astype(np.int64)
    powers = form.powers[codes.max(axis=1, keepdims=True) - codes].astype(np.int64)
    scores = (powers << 15) // powers.sum(axis=1, keepdims=True)
    scores[:, attrs.background] = 0
    flat = scores.ravel()
    order = np.argsort(-flat, kind="stable")[: attrs.candidates]
    best = order[flat[order] >= form.least_score]
    return [(*divmod(int(place), logits.shape[1]), int(flat[place])) for place in best]


def _decode(site: Site, delta: np.ndarray, anchor: np.ndarray) -> tuple[int, ...]:
    """Left, top, right, bottom in sixteenths of a pixel, inside the image."""
    attrs: Any = site.node.attrs
    form: Any = site.node.integer
    zero = site.operands[1].params.zero_point
    ends = []
    for axis, limit in ((0, attrs.image[1]), (1, attrs.image[0])):
        centre, size = int(anchor[axis]), int(anchor[axis + 2])
        centre += (size * (int(delta[axis]) - zero) * form.centre + _HALF) >> 16
        grown = (size * int(form.growth[int(delta[axis + 2]) + 128]) + _HALF) >> 16
        first = (2 * centre - grown) >> 1
        ends.append([min(max(end, 0), limit << 4) for end in (first, first + grown)])
    (left, right), (top, bottom) = ends
    return left, top, right, bottom


def _are_one(form: DetectionForm, a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return False
    shared = width * height
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return (shared << 16) > form.overlap * union
