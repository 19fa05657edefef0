"""Quantize and dequantize: what both sources write around the layers of a quantized model.

A value in codes is represented by the reals that the codes stand for, so that layers around it
need not know: see `tinyflow.ir.ops.fake_quant`.
"""

from __future__ import annotations

import numpy as np

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.given_scales import (
    CodeType,
    activation_scale,
    constant_scale,
    dequantized,
)
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.ir import Op
from tinyflow.ir.ops.fake_quant import FakeQuantAttrs


def quantized(
    layer: Layer, builder: Builder, x: Value, attrs: FakeQuantAttrs, suffix: str = ""
) -> Value:
    """``x`` rounded to codes, which become the layer's first output."""
    y = Value(builder.emit(layer, Op.FAKE_QUANT, (x.tensor,), attrs, suffix), x.shape)
    builder.codes[layer.outputs[0]] = attrs
    return y


def dequantized_value(
    layer: Layer, builder: Builder, index: int, scale: np.ndarray, zero: np.ndarray, codes: CodeType
) -> Value:
    """The reals of an operand in codes, whose maker must have used the same scale."""
    own = builder.codes.get(layer.inputs[index])
    if own is None:
        raise RefusalError(f"{layer.op} reads what no layer has quantized")
    stated = activation_scale(scale, zero, codes)
    if stated.params != own.params:
        raise RefusalError(
            f"{layer.op} reads codes of scale {stated.scale:g} and zero point "
            f"{stated.zero_point}, but they were made with {own.scale:g} and {own.zero_point}"
        )
    return builder.value(layer, index)


def dequantize_constant(
    builder: Builder,
    name: str,
    codes: np.ndarray,
    scale: np.ndarray,
    zero: np.ndarray,
    axis: int,
) -> None:
    """Makes ``name`` a constant that keeps its scales."""
    axis = axis % max(codes.ndim, 1)
    builder.constants[name] = dequantized(scale, zero, axis, codes)
    given = constant_scale(scale, zero, axis, codes)
    if given is not None:
        builder.scales[name] = given


def hand_on_codes(layer: Layer, builder: Builder, moves: bool, reads: bool) -> None:
    """Knows results as codes where a layer only ``moves`` its operand's; refuses other layers that
    work on codes, but for those that know how to read them."""
    operand = next((i for i in layer.inputs if i in builder.codes), None)
    if operand is None or reads:
        return
    if not moves:
        raise RefusalError(
            f"{layer.op} computes with the codes of a quantized tensor",
            "put a dequantize layer in front of it",
        )
    for output in layer.outputs:
        builder.codes[output] = builder.codes[operand]
