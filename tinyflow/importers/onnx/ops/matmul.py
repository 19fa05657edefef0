"""MatMul."""

from __future__ import annotations

import numpy as np

from tinyflow.importers.onnx.builder import Builder
from tinyflow.importers.onnx.layer import Layer, RefusalError
from tinyflow.ir import Op
from tinyflow.ir.ops.fully_connected import FullyConnectedAttrs
from tinyflow.ir.ops.matmul import MatmulAttrs


def convert_matmul(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """One operand is a constant matrix or vector, or both are activations of rank 3 or 4 with
    equal leading axes."""
    if builder.is_constant(layer, 0):
        return (_from_left(layer, builder),)
    if builder.is_constant(layer, 1):
        return (_from_right(layer, builder),)
    return (_of_activations(layer, builder),)


def _of_activations(layer: Layer, builder: Builder) -> str:
    a, b = (builder.activation(layer, i) for i in (0, 1))
    shapes = [builder.shape(x) for x in (a, b)]
    if not {len(shape) for shape in shapes} <= {3, 4} or shapes[0][:-2] != shapes[1][:-2]:
        raise RefusalError(
            f"MatMul multiplies the activations {list(shapes[0])} and {list(shapes[1])}",
            "both need rank 3 or 4 and equal leading axes: reshape or expand one before",
        )
    return builder.emit(layer, Op.MATMUL, (a, b), MatmulAttrs())


def _from_right(layer: Layer, builder: Builder) -> str:
    """x [..., k] times [k, o]."""
    x = builder.activation(layer)
    weight = _matrix(builder.weight(layer, 1, "weight"))
    vector = weight.ndim == 1
    matrix = (weight[:, None] if vector else weight).T
    inputs = (x, builder.add_constant(layer.inputs[1], matrix))
    y = builder.emit(layer, Op.FULLY_CONNECTED, inputs, FullyConnectedAttrs())
    return builder.reshape(layer, y, builder.shape(y)[:-1], "squeezed") if vector else y


def _from_left(layer: Layer, builder: Builder) -> str:
    """[o, k] times x [..., k, n]: the product of the transposes, transposed."""
    x = builder.activation(layer, 1)
    weight = _matrix(builder.weight(layer, 0, "weight"))
    rank = len(builder.shape(x))
    if rank < 3:
        raise RefusalError(
            "MatMul with a constant on the left mixes the batch axis into the product",
            "write it as x @ weight.T",
        )
    swap = (*range(rank - 2), rank - 1, rank - 2)
    vector = weight.ndim == 1
    inputs = (
        builder.transpose(layer, x, swap, "transposed"),
        builder.add_constant(layer.inputs[0], weight[None] if vector else weight),
    )
    y = builder.emit(layer, Op.FULLY_CONNECTED, inputs, FullyConnectedAttrs())
    if vector:
        return builder.reshape(layer, y, builder.shape(y)[:-1], "squeezed")
    return builder.transpose(layer, y, swap, "restored")


def _matrix(weight: np.ndarray) -> np.ndarray:
    """Without leading axes of 1."""
    while weight.ndim > 2 and weight.shape[0] == 1:
        weight = weight[0]
    if weight.ndim not in (1, 2):
        raise RefusalError(f"MatMul with a stack of constants {list(weight.shape)}")
    return weight
