"""QUANTIZE and DEQUANTIZE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyflow.importers.tflite.flatbuffer import RawOperator
from tinyflow.importers.tflite.layer_error import LayerError, refuse_type
from tinyflow.ir import DType, Op

if TYPE_CHECKING:
    from tinyflow.importers.tflite.importer import Importer

_REMEDY = "convert the model so that all of its layers are int8"


def quantize(importer: Importer, op: RawOperator) -> None:
    """At the model's inputs and outputs, where it is left out; between int8 tensors of different
    scales."""
    x = importer.operand(op, 0)
    if x.dtype is DType.FLOAT32:
        raise LayerError("it quantizes the result of a float layer inside the model", _REMEDY)
    if x.dtype is not DType.INT8:
        raise refuse_type(x.dtype.name)
    importer.emit(op, Op.QUANTIZE, [x])


def dequantize(importer: Importer, op: RawOperator) -> None:
    """At the model's outputs, where it is left out; on constants, which become float."""
    raise LayerError("it leads into float layers inside a quantized model", _REMEDY)
