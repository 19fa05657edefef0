"""RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyflow.importers.tflite.flatbuffer import RawOperator
from tinyflow.importers.tflite.layer_error import LayerError
from tinyflow.ir import Op
from tinyflow.ir.ops.resize import ResizeAttrs

if TYPE_CHECKING:
    from tinyflow.importers.tflite.importer import Importer


def resize_bilinear(importer: Importer, op: RawOperator) -> None:
    """A constant size, with align_corners, half_pixel_centers or neither."""
    _resize(importer, op, Op.RESIZE_BILINEAR)


def resize_nearest_neighbor(importer: Importer, op: RawOperator) -> None:
    """A constant size, with align_corners, half_pixel_centers or neither."""
    _resize(importer, op, Op.RESIZE_NEAREST)


def _resize(importer: Importer, op: RawOperator, kind: Op) -> None:
    size = importer.integers(op, 1, "size")
    if len(size) != 2 or min(size) < 1:
        raise LayerError(f"its size {list(size)} is no height and width")
    align = bool(importer.option(op, "alignCorners"))
    half = bool(importer.option(op, "halfPixelCenters"))
    if align and half:
        raise LayerError("it has both align_corners and half_pixel_centers")
    attrs = ResizeAttrs((size[0], size[1]), align, half)
    importer.emit(op, kind, [importer.operand(op, 0)], attrs)
