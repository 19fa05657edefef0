"""Fully connected layers and matrix products."""

from __future__ import annotations

import numpy as np

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.elementwise import binary
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.products import linear, product, product_of
from tinyflow.ir import Op


def convert_linear(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """On the last axis; weight and bias are constants."""
    weight = builder.weight(layer, 1, "weight")
    bias = builder.weight(layer, 2, "bias") if layer.has(2) else None
    return (linear(layer, builder, builder.value(layer), weight, bias, layer.inputs[1]),)


def convert_addmm(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """The matrix is constant; any alpha and beta."""
    alpha, beta = layer.number("alpha", 1.0), layer.number("beta", 1.0)
    weight = np.asarray(builder.weight(layer, 2, "weight").T * np.float32(alpha))
    x = builder.value(layer, 1)
    constant = builder.is_constant(layer, 0)
    bias = builder.weight(layer, 0, "bias") * np.float32(beta) if constant else None
    if bias is not None and bias.size in (1, len(weight)):
        row = np.broadcast_to(bias.reshape(-1), (len(weight),))
        return (linear(layer, builder, x, weight, row, layer.inputs[2]),)
    y = linear(layer, builder, x, weight, None, layer.inputs[2])
    addend = builder.value(layer, 0)
    if beta != 1.0:
        addend = binary(layer, builder, Op.MUL, (addend, beta), "beta")
    return (binary(layer, builder, Op.ADD, (y, addend), "sum"),)


def convert_matmul(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """One operand is a constant matrix or vector, or the second one a stack of constants, or both
    are activations with equal leading axes, or one matrix on the right for all of them."""
    return (product(layer, builder),)


def convert_baddbmm(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Of activations; any alpha, and beta 0 or 1."""
    alpha, beta = layer.number("alpha", 1.0), layer.number("beta", 1.0)
    if beta not in (0.0, 1.0):
        raise RefusalError(f"baddbmm with beta {beta:g} is not supported")
    y = product_of(layer, builder, builder.value(layer, 1), builder.value(layer, 2), "product")
    if alpha != 1.0:
        y = binary(layer, builder, Op.MUL, (y, alpha), "alpha")
    return (binary(layer, builder, Op.ADD, (y, builder.value(layer, 0))) if beta else y,)
