"""RESHAPE, SQUEEZE, EXPAND_DIMS and TRANSPOSE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyflow.importers.tflite.flatbuffer import RawOperator
from tinyflow.importers.tflite.layer_error import LayerError
from tinyflow.ir import Op, Shape, Tensor
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.transpose import TransposeAttrs

if TYPE_CHECKING:
    from tinyflow.importers.tflite.importer import Importer


def reshape(importer: Importer, op: RawOperator) -> None:
    """A shape that is known at import and keeps a batch axis of 1 in front."""
    x = importer.operand(op, 0)
    if importer.optional(op, 1) is not None:
        wanted = importer.integers(op, 1, "new shape")
    else:
        wanted = importer.option_list(op, "newShape")
    if sum(d < 1 for d in wanted) > 1 or any(d < -1 or d == 0 for d in wanted):
        raise LayerError(f"its new shape {list(wanted)} is not valid")
    rest = 1
    for d in wanted:
        rest *= d if d > 0 else 1
    _to_shape(importer, op, x, tuple(d if d > 0 else x.elements // rest for d in wanted))


def squeeze(importer: Importer, op: RawOperator) -> None:
    """Any axes of size 1 but the batch's."""
    x = importer.operand(op, 0)
    rank = len(x.shape)
    listed = importer.option_list(op, "squeezeDims")
    axes = {d + rank if d < 0 else d for d in listed}
    if not listed:
        axes = {i for i, d in enumerate(x.shape) if d == 1}
    if any(not 0 <= axis < rank or x.shape[axis] != 1 for axis in axes):
        raise LayerError(f"it squeezes the axes {sorted(axes)} of {list(x.shape)}")
    _to_shape(importer, op, x, tuple(d for i, d in enumerate(x.shape) if i not in axes))


def expand_dims(importer: Importer, op: RawOperator) -> None:
    """A constant axis."""
    x = importer.operand(op, 0)
    (axis, *_) = importer.integers(op, 1, "axis") or (0,)
    place = axis + len(x.shape) + 1 if axis < 0 else axis
    if not 0 <= place <= len(x.shape):
        raise LayerError(f"it adds the axis {axis} to {list(x.shape)}")
    _to_shape(importer, op, x, (*x.shape[:place], 1, *x.shape[place:]))


def transpose(importer: Importer, op: RawOperator) -> None:
    """A constant order of axes that leaves the batch in front."""
    perm = importer.integers(op, 1, "order of axes")
    if perm[:1] != (0,):
        raise LayerError(f"it moves the batch axis: {list(perm)}")
    importer.emit(op, Op.TRANSPOSE, [importer.operand(op, 0)], TransposeAttrs(perm))


def _to_shape(importer: Importer, op: RawOperator, x: Tensor, shape: Shape) -> None:
    if shape[:1] != (1,):
        raise LayerError(f"its result {list(shape)} has no batch axis of 1 in front")
    importer.emit(op, Op.RESHAPE, [x], ReshapeAttrs(shape))
