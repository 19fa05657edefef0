"""Why a layer cannot be imported, and the rules on element types that hold for every layer."""

from __future__ import annotations

from collections.abc import Sequence

from tinyflow.importers.tflite.flatbuffer import RawTensor
from tinyflow.ir import DType, Op, Tensor

_REASONS = {
    "INT16": ("its activations are int16", "export it with int8 activations"),
    "UINT8": (
        "it uses the old uint8 quantization",
        "convert the model again with a current TensorFlow: int8 weights and activations",
    ),
    "INT4": ("it uses int4", "export it with int8 weights"),
    "INT2": ("it uses int2", "export it with int8 weights"),
    "UINT4": ("it uses uint4", "export it with int8 weights"),
}

_WEIGHTED = {
    Op.CONV_2D: 0,
    Op.DEPTHWISE_CONV_2D: 3,
    Op.TRANSPOSE_CONV_2D: 0,
    Op.FULLY_CONNECTED: 0,
}
"""Operations with weights, and the axis of these that per-channel scales follow."""


class LayerError(Exception):
    """One obstacle in the layer at hand: what is in the way, and what would help."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


def refuse_type(type_name: str) -> LayerError:
    """The sentence for an element type that TinyFlow does not compile."""
    default = (f"it uses the element type {type_name.lower()}", "export it in float32 or int8")
    return LayerError(*_REASONS.get(type_name, default))


def check_activation(raw: RawTensor) -> None:
    """An activation is float32, or int8 with one scale for the whole tensor."""
    if raw.dtype not in (DType.FLOAT32, DType.INT8):
        raise refuse_type(raw.type_name)
    if raw.dtype is DType.INT8 and raw.quant is None:
        raise LayerError(f"'{raw.name}' is int8 without a scale")
    if raw.quant is not None and raw.quant.axis is not None:
        raise LayerError(f"its activation '{raw.name}' has a scale per channel")


def check_quantized(kind: Op, raw: RawTensor, operands: Sequence[Tensor]) -> None:
    """Constants next to int8 activations are int8 with a scale; biases are int32."""
    for tensor in operands:
        if tensor.is_constant and tensor.dtype not in (DType.INT8, DType.INT32):
            raise refuse_type(tensor.dtype.name)
        if tensor.dtype is DType.INT8 and tensor.quant is None:
            raise LayerError(f"its constant '{tensor.name}' is int8 without a scale")
    if kind in _WEIGHTED:
        _check_weights(kind, operands)


def _check_weights(kind: Op, operands: Sequence[Tensor]) -> None:
    weight = operands[1]
    if weight.dtype is not DType.INT8 or weight.quant is None:
        raise LayerError(f"its weight is {weight.dtype.value}", "export it with int8 weights")
    if any(weight.quant.zero_points) and (
        kind is not Op.FULLY_CONNECTED or weight.quant.axis is not None
    ):
        raise LayerError(
            "its weight has a zero point other than 0",
            "convert the model again with a current TensorFlow",
        )
    if weight.quant.axis not in (None, _WEIGHTED[kind]):
        raise LayerError(f"its weight has scales along the axis {weight.quant.axis}")
    if len(operands) > 2 and operands[2].dtype is not DType.INT32:
        raise LayerError(f"its bias is {operands[2].dtype.value}, not int32")
