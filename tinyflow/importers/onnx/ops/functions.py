"""Elu, Shrink and the other functions of one element that have parameters in ONNX."""

from __future__ import annotations

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.formulas import (
    SELU_ALPHA,
    SELU_GAMMA,
    elu,
    function,
    shrink,
    swish,
    threshold,
)
from tinyflow.importers.common.layer import Layer, RefusalError


def convert_elu(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any alpha."""
    alpha = layer.number("alpha", 1.0)
    return (function(layer, builder, lambda w, x: elu(w, x, alpha, 1.0, 1.0)),)


def convert_celu(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any alpha above 0."""
    alpha = layer.number("alpha", 1.0)
    if alpha <= 0.0:
        raise RefusalError("Celu needs an alpha above 0")
    return (function(layer, builder, lambda w, x: elu(w, x, alpha, 1.0, alpha)),)


def convert_selu(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any alpha and gamma."""
    alpha, gamma = layer.number("alpha", SELU_ALPHA), layer.number("gamma", SELU_GAMMA)
    return (function(layer, builder, lambda w, x: elu(w, x, alpha, gamma, 1.0)),)


def convert_swish(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any alpha."""
    alpha = layer.number("alpha", 1.0)
    return (function(layer, builder, lambda w, x: swish(w, x, alpha)),)


def convert_shrink(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any lambd and bias."""
    limit, bias = layer.number("lambd", 0.5), layer.number("bias", 0.0)
    return (function(layer, builder, lambda w, x: shrink(w, x, limit, bias)),)


def convert_thresholded_relu(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any alpha."""
    alpha = layer.number("alpha", 1.0)
    return (function(layer, builder, lambda w, x: threshold(w, x, alpha)),)
