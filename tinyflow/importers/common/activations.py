"""Functions of one element that ONNX and PyTorch have alike: handlers for the tables of both.

A handler's docstring is the rule that the supported-operators page prints.
"""

from __future__ import annotations

import math

import numpy as np

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.elementwise import binary, clamped, unary, unary_of
from tinyflow.importers.common.layer import Layer
from tinyflow.ir import Op
from tinyflow.ir.ops.leaky_relu import LeakyReluAttrs
from tinyflow.ir.ops.power import PowerAttrs


def convert_relu(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """On any tensor."""
    return (clamped(layer, builder, builder.value(layer), 0.0, math.inf),)


def convert_hard_swish(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """On any tensor."""
    return (unary(layer, builder, Op.HARD_SWISH),)


def convert_sigmoid(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """On any tensor."""
    return (unary(layer, builder, Op.SIGMOID),)


def convert_tanh(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """On any tensor."""
    return (unary(layer, builder, Op.TANH),)


def convert_erf(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """On any tensor."""
    return (unary(layer, builder, Op.ERF),)


def convert_exp(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """On any tensor."""
    return (unary(layer, builder, Op.EXP),)


def convert_log(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """On any tensor."""
    return (unary(layer, builder, Op.LOG),)


def convert_abs(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """On any tensor."""
    return (unary(layer, builder, Op.ABS),)


def convert_sqrt(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Becomes the power 1/2."""
    return (unary(layer, builder, Op.POWER, PowerAttrs(0.5)),)


def convert_reciprocal(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Becomes the power -1."""
    return (unary(layer, builder, Op.POWER, PowerAttrs(-1.0)),)


def convert_neg(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Becomes a product with -1."""
    return (binary(layer, builder, Op.MUL, (builder.value(layer), -1.0)),)


def prelu(layer: Layer, builder: Builder, x: Value, slope: np.ndarray) -> Value:
    """One slope that is not negative is a leaky ReLU; ``slope`` else broadcasts to ``x``."""
    if slope.size == 1 and float(slope.reshape(())) >= 0.0:
        attrs = LeakyReluAttrs(float(slope.reshape(())))
        return unary_of(layer, builder, Op.LEAKY_RELU, x, attrs)
    return binary(layer, builder, Op.PRELU, (x, slope))
