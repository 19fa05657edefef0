"""Gemm."""

from __future__ import annotations

import numpy as np

from tinyflow.importers.common.builder import Builder
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.ir import Op
from tinyflow.ir.ops.broadcast import BinaryAttrs
from tinyflow.ir.ops.fully_connected import FullyConnectedAttrs


def convert_gemm(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """Any transB, alpha and beta; B is constant, C may be computed; transA only on [1, 1]."""
    if builder.is_constant(layer, 0) or not builder.is_constant(layer, 1):
        raise RefusalError(
            "Gemm needs a computed first operand and a constant second one",
            "write a product of two activations as MatMul",
        )
    x = builder.activation(layer)
    if layer.integer("transA", 0):
        x = builder.transpose(layer, x, (1, 0), "transposed")
    weight = builder.weight(layer, 1, "weight").astype(np.float64)
    if not layer.integer("transB", 0):
        weight = weight.T
    weight = weight * layer.number("alpha", 1.0)
    inputs = [x, builder.add_constant(layer.inputs[1], weight)]
    beta = layer.number("beta", 1.0)
    if not layer.has(2) or beta == 0.0:
        return (builder.emit(layer, Op.FULLY_CONNECTED, inputs, FullyConnectedAttrs()),)
    if builder.is_constant(layer, 2):
        bias = builder.weight(layer, 2, "bias").astype(np.float64) * beta
        if bias.size not in (1, len(weight)):
            raise RefusalError(f"a bias {list(bias.shape)} does not fit {len(weight)} features")
        row = np.broadcast_to(bias.reshape(-1), (len(weight),))
        inputs.append(builder.add_constant(layer.inputs[2], row))
        return (builder.emit(layer, Op.FULLY_CONNECTED, inputs, FullyConnectedAttrs()),)
    y = builder.emit(layer, Op.FULLY_CONNECTED, inputs, FullyConnectedAttrs())
    addend = builder.activation(layer, 2)
    if beta != 1.0:
        factor = builder.add_constant(f"{layer.name}/beta", np.array(beta))
        addend = builder.emit(layer, Op.MUL, (addend, factor), BinaryAttrs(), "scaled")
    return (builder.emit(layer, Op.ADD, (y, addend), BinaryAttrs(), "sum"),)
