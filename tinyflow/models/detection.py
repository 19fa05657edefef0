"""From the outputs of SSDLite to boxes: anchors, decoding and suppression, in NumPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ANCHORS_PER_PLACE = 6
RATIOS = (1 / 2, 2, 1 / 3, 3)
"""Height over width of the anchors that are not square."""

STRIDES = (16, 32, 64, 107, 160, 320)
SIZES = (48, 100, 150, 202, 253, 304, 320)
"""Side of the small square anchor of each level; the large one's is the geometric mean of this
level's and the next one's. Strides and sizes are pixels of a picture of REFERENCE_RESOLUTION."""

REFERENCE_RESOLUTION = 320
DELTA_DEVIATIONS = np.array([0.1, 0.1, 0.2, 0.2])
LARGEST_LOG_GROWTH = float(np.log(1000 / 16))
"""A box is at most 62.5 times as wide and high as its anchor, and at least as small a part."""


@dataclass(frozen=True)
class DetectionOptions:
    """``per_level`` pairs of box and class of each level go into suppression, the best first."""

    score: float = 0.02
    per_level: int = 1000
    overlap: float = 0.45
    kept: int = 200


@dataclass(frozen=True)
class Detections:
    """Boxes [n, 4] as left, top, right, bottom in pixels; scores and classes [n], best first."""

    boxes: np.ndarray
    scores: np.ndarray
    classes: np.ndarray


def level_sides(resolution: int) -> tuple[int, ...]:
    """Side of each level's map, for a resolution that is a multiple of 32: halves round up."""
    sides = [-(-resolution // STRIDES[0])]
    while len(sides) < len(STRIDES):
        sides.append(-(-sides[-1] // 2))
    return tuple(sides)


def make_anchors(resolution: int = REFERENCE_RESOLUTION) -> np.ndarray:
    """Every anchor [n, 4] as centre x, centre y, width, height in pixels.

    At a place: the small square, the large square, then the shapes of RATIOS with the area of the
    small square. Places are in raster order, levels from fine to coarse.
    """
    unit = resolution / REFERENCE_RESOLUTION
    levels = []
    for side, stride, small, large in zip(
        level_sides(resolution), STRIDES, SIZES[:-1], SIZES[1:], strict=True
    ):
        shapes = [(small, small), (np.sqrt(small * large),) * 2]
        shapes += [(small / np.sqrt(ratio), small * np.sqrt(ratio)) for ratio in RATIOS]
        centres = (np.arange(side) + 0.5) * stride
        level = np.empty((side, side, len(shapes), 4))
        level[..., 0] = centres[None, :, None]
        level[..., 1] = centres[:, None, None]
        level[..., 2:] = np.array(shapes)
        levels.append(level.reshape(-1, 4) * unit)
    return np.concatenate(levels)


def decode(deltas: np.ndarray, anchors: np.ndarray, resolution: int) -> np.ndarray:
    """Boxes [n, 4] as left, top, right, bottom within the picture.

    ``deltas`` [n, 4] move an anchor's centre by parts of its size and scale its size by powers of
    e, both times DELTA_DEVIATIONS.
    """
    scaled = deltas * DELTA_DEVIATIONS
    centres = anchors[:, :2] + scaled[:, :2] * anchors[:, 2:]
    growth = np.clip(scaled[:, 2:], -LARGEST_LOG_GROWTH, LARGEST_LOG_GROWTH)
    half = anchors[:, 2:] * np.exp(growth) / 2
    return np.clip(np.concatenate((centres - half, centres + half), axis=1), 0, resolution)


def overlaps(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Intersection over union of one box [4] with each of [n, 4]; 0 where both are empty."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=1)
    union = np.prod(box[2:] - box[:2]) + np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) - common
    return np.divide(common, union, out=np.zeros(len(boxes)), where=union > 0)


def nms(boxes: np.ndarray, scores: np.ndarray, overlap: float) -> np.ndarray:
    """Indices of the boxes that no better box overlaps by more than ``overlap``, best first.

    Of two equal scores the first box is the better one. A box that is itself suppressed suppresses
    nothing.
    """
    order = np.argsort(-scores, kind="stable")
    kept = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        order = order[overlaps(boxes[best], boxes[order]) <= overlap]
    return np.array(kept, dtype=np.int64)


def detect(
    logits: np.ndarray,
    deltas: np.ndarray,
    resolution: int = REFERENCE_RESOLUTION,
    options: DetectionOptions | None = None,
) -> Detections:
    """Detections of one picture from logits [anchors, classes + 1] and deltas [anchors, 4].

    Suppression runs for each class by itself.
    """
    options = options or DetectionOptions()
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = (powers / powers.sum(axis=1, keepdims=True))[:, :-1]
    anchors, classes = _candidates(probabilities, resolution, options)
    boxes = decode(deltas, make_anchors(resolution), resolution)[anchors]
    scores = probabilities[anchors, classes]
    kept = np.concatenate(
        [
            np.flatnonzero(classes == label)[
                nms(boxes[classes == label], scores[classes == label], options.overlap)
            ]
            for label in np.unique(classes)
        ]
        or [np.empty(0, np.int64)]
    )
    best = kept[np.argsort(-scores[kept], kind="stable")][: options.kept]
    return Detections(boxes[best], scores[best], classes[best])


def _candidates(
    probabilities: np.ndarray, resolution: int, options: DetectionOptions
) -> tuple[np.ndarray, np.ndarray]:
    """Anchor and class of the pairs that suppression sees."""
    ends = np.cumsum([ANCHORS_PER_PLACE * side**2 for side in level_sides(resolution)])
    anchors, classes = [], []
    for begin, end in zip((0, *ends[:-1]), ends, strict=True):
        rows, columns = np.nonzero(probabilities[begin:end] > options.score)
        scores = probabilities[begin + rows, columns]
        best = np.argsort(-scores, kind="stable")[: options.per_level]
        anchors.append(begin + rows[best])
        classes.append(columns[best])
    return np.concatenate(anchors), np.concatenate(classes)
