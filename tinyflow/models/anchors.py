"""The anchors of SSDLite; `tinyflow.ir.ops.detection` says how its outputs become boxes."""

from __future__ import annotations

import numpy as np

ANCHORS_PER_PLACE = 6
RATIOS = (1 / 2, 2, 1 / 3, 3)
"""Height over width of the anchors that are not square."""

STRIDES = (16, 32, 64, 107, 160, 320)
SIZES = (48, 100, 150, 202, 253, 304, 320)
"""Side of the small square anchor of each level; the large one's is the geometric mean of this
level's and the next one's. Strides and sizes are pixels of a picture of REFERENCE_RESOLUTION."""

REFERENCE_RESOLUTION = 320


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
