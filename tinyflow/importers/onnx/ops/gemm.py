"""Gemm."""

from __future__ import annotations

import numpy as np

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.elementwise import binary, operand
from tinyflow.importers.common.layer import Layer
from tinyflow.importers.common.products import linear, product_of
from tinyflow.importers.common.views import transpose_to
from tinyflow.ir import Op


def convert_gemm(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any transA, transB, alpha and beta; C may have any shape that broadcasts, and each operand
    may be constant."""
    a = builder.value(layer)
    if layer.integer("transA", 0):
        a = transpose_to(layer, builder, a, (1, 0), "transposed_a")
    beta = layer.number("beta", 1.0)
    addend = operand(layer, builder, 2) if layer.has(2) and beta != 0.0 else None
    if builder.is_constant(layer, 1) and not builder.is_constant(layer, 0):
        return (_linear(layer, builder, a, addend, beta),)
    b = builder.value(layer, 1)
    if layer.integer("transB", 0):
        b = transpose_to(layer, builder, b, (1, 0), "transposed_b")
    y = product_of(layer, builder, a, b)
    alpha = layer.number("alpha", 1.0)
    if alpha != 1.0:
        y = binary(layer, builder, Op.MUL, (y, alpha), "product")
    return (_sum(layer, builder, y, addend, beta),)


def _linear(
    layer: Layer, builder: Builder, a: Value, addend: Value | np.ndarray | None, beta: float
) -> Value:
    weight = builder.weight(layer, 1, "weight").astype(np.float64)
    weight = (weight if layer.integer("transB", 0) else weight.T) * layer.number("alpha", 1.0)
    stem = layer.inputs[1]
    if not isinstance(addend, np.ndarray) or not _is_row(addend, len(weight)):
        return _sum(layer, builder, linear(layer, builder, a, weight, stem=stem), addend, beta)
    row = np.broadcast_to(addend.reshape(-1).astype(np.float64) * beta, (len(weight),))
    return linear(layer, builder, a, weight, row, stem, bias_stem=layer.inputs[2])


def _is_row(addend: np.ndarray, features: int) -> bool:
    """Whether it is the same for all rows of the result."""
    return addend.size == 1 or addend.size == addend.shape[-1] == features


def _sum(
    layer: Layer, builder: Builder, y: Value, addend: Value | np.ndarray | None, beta: float
) -> Value:
    if addend is None:
        return y
    if isinstance(addend, np.ndarray):
        addend = (addend.astype(np.float64) * beta).astype(np.float32)
    elif beta != 1.0:
        addend = binary(layer, builder, Op.MUL, (addend, beta), "scaled")
    return binary(layer, builder, Op.ADD, (y, addend), "sum")
