"""MEAN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyflow.importers.tflite.flatbuffer import RawOperator
from tinyflow.ir import Op
from tinyflow.ir.ops.mean import MeanAttrs

if TYPE_CHECKING:
    from tinyflow.importers.tflite.importer import Importer


def mean(importer: Importer, op: RawOperator) -> None:
    """Constant axes, any but the batch's; with or without keep_dims."""
    x = importer.operand(op, 0)
    rank = len(x.shape)
    axes = importer.integers(op, 1, "list of axes")
    places = sorted({axis + rank if axis < 0 else axis for axis in axes})
    attrs = MeanAttrs(tuple(places), bool(importer.option(op, "keepDims")))
    importer.emit(op, Op.MEAN, [x], attrs)
