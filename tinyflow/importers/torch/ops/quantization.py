"""Quantize and dequantize, as PT2E writes them."""

from __future__ import annotations

import numpy as np

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.given_scales import CodeType, activation_scale
from tinyflow.importers.common.layer import Layer
from tinyflow.importers.common.quantization import (
    dequantize_constant,
    dequantized_value,
    quantized,
)


def convert_quantize(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Of an activation, per tensor, to int8 or uint8: its scale is kept."""
    attrs = activation_scale(*_parameters(layer, builder), _codes(layer))
    return (quantized(layer, builder, builder.value(layer), attrs),)


def convert_dequantize(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Of what was quantized with the same scale, and of constants: weights keep their scales."""
    scale, zero = _parameters(layer, builder)
    if builder.is_constant(layer, 0):
        codes = builder.constant(layer, 0, "codes")
        axis = layer.integer("axis", 0)
        dequantize_constant(builder, layer.outputs[0], codes, scale, zero, axis)
        return ()
    return (dequantized_value(layer, builder, 0, scale, zero, _codes(layer)),)


def _parameters(layer: Layer, builder: Builder) -> tuple[np.ndarray, np.ndarray]:
    """Scale and zero point, which are numbers or tensors."""
    if len(layer.inputs) == 1:
        scale, zero = layer.number("scale", 1.0), layer.integer("zero_point", 0)
        return np.asarray(scale), np.asarray(zero)
    scales = builder.constant(layer, 1, "scale")
    return scales, builder.constant(layer, 2, "zero point") if layer.has(2) else np.asarray(0)


def _codes(layer: Layer) -> CodeType:
    name = str(layer.attributes.get("dtype")).removeprefix("torch.")
    return CodeType(name, layer.integer("quant_min", -128), layer.integer("quant_max", 127))
