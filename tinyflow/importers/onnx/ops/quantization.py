"""QuantizeLinear, DequantizeLinear, QLinearConv and QLinearMatMul."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.given_scales import CodeType, activation_scale
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.quantization import (
    dequantize_constant,
    dequantized_value,
    quantized,
)
from tinyflow.importers.onnx.ops.conv import convert_conv
from tinyflow.importers.onnx.ops.matmul import convert_matmul


def convert_quantize(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Of an activation, per tensor, to int8 or uint8: its scale is kept."""
    scale, zero = _parameters(layer, builder, 1)
    attrs = activation_scale(scale, zero, CodeType.whole(zero.dtype))
    return (quantized(layer, builder, builder.value(layer), attrs),)


def convert_dequantize(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Of what was quantized with the same scale, and of constants: weights keep their scales."""
    scale, zero = _parameters(layer, builder, 1)
    if builder.is_constant(layer, 0):
        if layer.integer("block_size", 0):
            raise RefusalError(
                "it has scales for blocks of a constant, which is not supported",
                "quantize weights per channel or per tensor",
            )
        codes = builder.constant(layer, 0, "codes")
        axis = layer.integer("axis", 1)
        dequantize_constant(builder, layer.outputs[0], codes, scale, zero, axis)
        return ()
    return (dequantized_value(layer, builder, 0, scale, zero, CodeType.whole(zero.dtype)),)


def convert_qlinear_conv(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """As Conv between quantize and dequantize; all scales are kept."""
    inputs = [_reals(layer, builder, 0), _reals(layer, builder, 3, axis=0)]
    if layer.has(8):
        inputs.append(_bias(layer, builder))
    plain = replace(layer, op="Conv", inputs=tuple(inputs))
    (y,) = convert_conv(plain, builder)
    return (_requantized(layer, builder, Value(y, builder.shape(y))),)


def convert_qlinear_matmul(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """As MatMul between quantize and dequantize; all scales are kept."""
    inputs = (_reals(layer, builder, 0, axis=-2), _reals(layer, builder, 3, axis=-1))
    (y,) = convert_matmul(replace(layer, op="MatMul", inputs=inputs), builder)
    return (_requantized(layer, builder, y),)


def _parameters(layer: Layer, builder: Builder, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Scale and zero point, whose type is that of the codes; uint8 where it is left out."""
    scale = builder.constant(layer, index, "scale")
    if layer.has(index + 1):
        return scale, builder.constant(layer, index + 1, "zero point")
    if layer.attributes.get("output_dtype") == _INT8:
        return scale, np.zeros(1, np.int8)
    if builder.is_constant(layer, 0):
        return scale, np.zeros(1, builder.constant(layer, 0, "codes").dtype)
    own = builder.codes.get(layer.inputs[0])
    return scale, np.zeros(1, np.int8 if own is not None and own.zero_point == 0 else np.uint8)


_INT8 = 3
"""TensorProto.INT8."""


def _reals(layer: Layer, builder: Builder, index: int, axis: int = 0) -> str:
    """The operand ``index`` in codes, followed by its scale and zero point: the reals' name."""
    scale, zero = _parameters(layer, builder, index + 1)
    if not builder.is_constant(layer, index):
        dequantized_value(layer, builder, index, scale, zero, CodeType.whole(zero.dtype))
        return layer.inputs[index]
    codes = builder.constant(layer, index, "weight")
    name = f"{layer.inputs[index]}/real"
    dequantize_constant(builder, name, codes, scale, zero, axis)
    return name


def _bias(layer: Layer, builder: Builder) -> str:
    """int32 codes in units of the operand's scale times the weight's."""
    codes = builder.constant(layer, 8, "bias")
    scale = builder.weight(layer, 1, "scale").astype(np.float64) * builder.weight(layer, 4, "scale")
    name = f"{layer.inputs[8]}/real"
    dequantize_constant(builder, name, codes, scale.reshape(-1), np.asarray(0), 0)
    return name


def _requantized(layer: Layer, builder: Builder, y: Value) -> Value:
    scale, zero = _parameters(layer, builder, 6)
    attrs = activation_scale(scale, zero, CodeType.whole(zero.dtype))
    return quantized(layer, builder, y, attrs, "codes")
