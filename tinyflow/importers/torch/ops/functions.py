"""elu, threshold and the other functions of one element that have parameters in PyTorch."""

from __future__ import annotations

import math

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.formulas import (
    SELU_ALPHA,
    SELU_GAMMA,
    convert_elementary,
    elu,
    function,
    logarithm,
    threshold,
)
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.ir.ops.function import Elementary


def convert_elu(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any alpha, scale and input_scale above 0."""
    alpha, gamma = layer.number("alpha", 1.0), layer.number("scale", 1.0)
    steepness = layer.number("input_scale", 1.0)
    if steepness <= 0.0:
        raise RefusalError("elu needs an input_scale above 0")
    return (function(layer, builder, lambda w, x: elu(w, x, alpha, gamma, 1 / steepness)),)


def convert_celu(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any alpha above 0."""
    alpha = layer.number("alpha", 1.0)
    if alpha <= 0.0:
        raise RefusalError("celu needs an alpha above 0")
    return (function(layer, builder, lambda w, x: elu(w, x, alpha, 1.0, alpha)),)


def convert_selu(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """On any tensor."""
    return (function(layer, builder, lambda w, x: elu(w, x, SELU_ALPHA, SELU_GAMMA, 1.0)),)


def convert_threshold(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any threshold and value."""
    limit, other = layer.number("threshold", 0.0), layer.number("value", 0.0)
    return (function(layer, builder, lambda w, x: threshold(w, x, limit, other)),)


def convert_round(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """To whole numbers."""
    if layer.integer("decimals", 0) != 0:
        raise RefusalError("round to decimals is not supported", "round to whole numbers")
    return convert_elementary(layer, builder, elementary=Elementary.ROUND)


def convert_exp2(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """On any tensor."""
    return (
        function(
            layer,
            builder,
            lambda w, x: w.add(Elementary.EXP, w.add(Elementary.MUL, x, math.log(2))),
        ),
    )


def convert_erfc(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """On any tensor."""
    return (
        function(layer, builder, lambda w, x: w.add(Elementary.SUB, 1.0, w.add(Elementary.ERF, x))),
    )


def convert_log2(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """On any tensor."""
    return (function(layer, builder, logarithm(2)),)


def convert_log10(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """On any tensor."""
    return (function(layer, builder, logarithm(10)),)
