"""DETECTION: tables of exponentials, since logits and deltas have 256 codes each."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.ir import DType
from tinyflow.ir.integer import DetectionForm
from tinyflow.ir.ops.detection import growth
from tinyflow.quantize.site import NoIntegerFormError, Site

ONE = 1 << 16
"""In Q16."""

ANCHOR_SCALE = 1 / 16
"""Anchors are int32 in sixteenths of a pixel."""

_LARGEST_IMAGE = 2047
_MOST_CLASSES = 4096


def detection_form(site: Site) -> DetectionForm:
    attrs: Any = site.node.attrs
    logits, deltas, anchors = site.operands
    if max(attrs.image) > _LARGEST_IMAGE:
        raise NoIntegerFormError(
            f"its image of {attrs.image[0]}x{attrs.image[1]} pixels has a side over "
            f"{_LARGEST_IMAGE} pixels"
        )
    if logits.shape[-1] > _MOST_CLASSES:
        raise NoIntegerFormError(f"it has {logits.shape[-1]} classes, {_MOST_CLASSES} are possible")
    if anchors.dtype is not DType.INT32 or anchors.params.scale != ANCHOR_SCALE:
        raise NoIntegerFormError("its anchors are not int32 in sixteenths of a pixel")
    scale, zero = deltas.params.scale, deltas.params.zero_point
    codes = np.arange(-128, 128) - zero
    return DetectionForm(
        powers=_q16(np.exp(-logits.params.scale * np.arange(256))),
        # The first Q15 score above the threshold.
        least_score=int(np.floor(attrs.score_threshold * (ONE >> 1))) + 1,
        centre=int(np.rint(attrs.centre_variance * scale * ONE)),
        growth=_q16(growth(attrs, scale * codes)),
        overlap=int(np.rint(attrs.iou_threshold * ONE)),
    )


def _q16(values: np.ndarray) -> np.ndarray:
    return np.rint(values * ONE).astype(np.int32)
