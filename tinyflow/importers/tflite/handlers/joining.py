"""CONCATENATION, PAD and PADV2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyflow.importers.tflite.activation import fused_clamp
from tinyflow.importers.tflite.flatbuffer import RawOperator
from tinyflow.importers.tflite.layer_error import LayerError
from tinyflow.ir import Op, Tensor
from tinyflow.ir.ops.concat import ConcatAttrs
from tinyflow.ir.ops.pad import PadAttrs

if TYPE_CHECKING:
    from tinyflow.importers.tflite.importer import Importer


def concatenation(importer: Importer, op: RawOperator) -> None:
    """Any number of tensors, constants included, on any axis but the batch's."""
    tensors = [importer.operand(op, i) for i in range(len(op.inputs))]
    if not tensors:
        raise LayerError("it joins nothing")
    axis = importer.option(op, "axis")
    axis += len(tensors[0].shape) if axis < 0 else 0
    clamp = fused_clamp(importer.option(op, "fusedActivationFunction"))
    importer.emit(op, Op.CONCAT, tensors, ConcatAttrs(axis), clamp=clamp)


def pad(importer: Importer, op: RawOperator) -> None:
    """Constant amounts, none on the batch axis; the border is 0."""
    _pad(importer, op, 0.0)


def pad_v2(importer: Importer, op: RawOperator) -> None:
    """Constant amounts, none on the batch axis, and a constant border value."""
    value = importer.operand(op, 2, "border value")
    if not value.is_constant or value.elements != 1:
        raise LayerError("its border value is no constant number")
    _pad(importer, op, float(_real(value)))


def _pad(importer: Importer, op: RawOperator, value: float) -> None:
    x = importer.operand(op, 0)
    amounts = importer.integers(op, 1, "amount of padding")
    pads = tuple(zip(amounts[::2], amounts[1::2], strict=True)) if len(amounts) % 2 == 0 else ()
    importer.emit(op, Op.PAD, [x], PadAttrs(pads, value))


def _real(value: Tensor) -> float:
    if value.quant is None:
        return float(value.value.ravel()[0])
    return float(value.quant.dequantize(value.value).ravel()[0])
