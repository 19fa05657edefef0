"""Add, Sub, Mul and Div."""

from __future__ import annotations

import numpy as np

from tinyflow.importers.onnx.builder import Builder, as_float32
from tinyflow.importers.onnx.layer import Layer, RefusalError
from tinyflow.ir import Op
from tinyflow.ir.ops.broadcast import BinaryAttrs


def convert_add(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """With broadcasting; an operand may be constant."""
    return (_emit(layer, builder, Op.ADD),)


def convert_sub(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """With broadcasting; an operand may be constant."""
    return (_emit(layer, builder, Op.SUB),)


def convert_mul(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """With broadcasting; an operand may be constant."""
    return (_emit(layer, builder, Op.MUL),)


def convert_div(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """The divisor is constant and nowhere zero."""
    if not builder.is_constant(layer, 1):
        raise RefusalError(
            "Div by a value that is computed while the model runs is not supported",
            "divide by a constant, or multiply",
        )
    divisor = builder.weight(layer, 1, "divisor").astype(np.float64)
    if not divisor.all():
        raise RefusalError("Div by a constant that holds zero")
    return (_emit(layer, builder, Op.MUL, 1.0 / divisor),)


def _emit(layer: Layer, builder: Builder, op: Op, second: np.ndarray | None = None) -> str:
    """All operands of one rank, so that the batch axis comes first in each.

    Constants of one element become scalars, which any rank takes.
    """
    shapes = [_source_shape(layer, builder, i) for i in (0, 1)]
    rank = max(len(shape) for shape in shapes)
    names = []
    for index in (0, 1):
        if builder.is_constant(layer, index):
            value = builder.constants[layer.inputs[index]]
            if index == 1 and second is not None:
                value = second
            value = as_float32(value, f"operand {index}")
            value = value.reshape((1,) * (rank - value.ndim) + value.shape)
            value = value.reshape(()) if value.size == 1 else value
            names.append(builder.add_constant(layer.inputs[index], value))
            continue
        x = builder.activation(layer, index)
        shape = (1,) * (rank - len(builder.shape(x))) + builder.shape(x)
        names.append(builder.reshape(layer, x, shape, f"aligned_{index}"))
    return builder.emit(layer, op, names, BinaryAttrs())


def _source_shape(layer: Layer, builder: Builder, index: int) -> tuple[int, ...]:
    if builder.is_constant(layer, index):
        return builder.constants[layer.inputs[index]].shape
    return builder.shape(builder.activation(layer, index))
