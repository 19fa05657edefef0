"""How pictures become the numbers that a model was trained on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Preprocessing:
    """Mean and deviation of each colour on a scale of 0 to 1."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


PIXEL_LESS_128 = Preprocessing((128 / 255,) * 3, (1 / 255,) * 3)
"""A model's input is the pixel less 128, which int8 holds without rounding."""

IMAGENET = Preprocessing((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
