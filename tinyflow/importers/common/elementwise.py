"""Functions of one element, and of two with broadcasting."""

from __future__ import annotations

import math

import numpy as np

from tinyflow.importers.common.builder import Builder, Value, as_float32
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.ir import OPS, Attrs, Clamp, Op, Shape
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.power import PowerAttrs


def unary(
    layer: Layer, builder: Builder, op: Op, attrs: Attrs | None = None, suffix: str = ""
) -> Value:
    """``op`` on every element of the layer's first operand."""
    return unary_of(layer, builder, op, builder.value(layer), attrs, suffix)


def unary_of(
    layer: Layer,
    builder: Builder,
    op: Op,
    value: Value,
    attrs: Attrs | None = None,
    suffix: str = "",
) -> Value:
    return Value(builder.emit(layer, op, (value.tensor,), attrs or Attrs(), suffix), value.shape)


def binary(
    layer: Layer,
    builder: Builder,
    op: Op,
    operands: tuple[Value | np.ndarray | float, Value | np.ndarray | float] | None = None,
    suffix: str = "",
) -> Value:
    """``op`` of two operands, those of the layer unless others are given."""
    left, right = operands or (operand(layer, builder, 0), operand(layer, builder, 1))
    shapes = [x.shape if isinstance(x, Value) else np.shape(x) for x in (left, right)]
    try:
        shape = tuple(int(d) for d in np.broadcast_shapes(*shapes))
    except ValueError:
        raise RefusalError(
            f"the shapes {list(shapes[0])} and {list(shapes[1])} do not broadcast"
        ) from None
    names = [_aligned(layer, builder, x, index, shape) for index, x in enumerate((left, right))]
    return Value(builder.emit(layer, op, names, OPS[op].attrs(), suffix), shape)


def operand(layer: Layer, builder: Builder, index: int) -> Value | np.ndarray:
    """An operand that may be constant."""
    if builder.is_constant(layer, index):
        return as_float32(builder.constants[layer.inputs[index]], f"operand {index}")
    return builder.value(layer, index)


def _aligned(
    layer: Layer, builder: Builder, x: Value | np.ndarray | float, index: int, result: Shape
) -> str:
    """The operand with as many axes as the result's tensor, so that both begin with the batch.

    Constants of one element become scalars, which any rank takes.
    """
    front = () if result[:1] == (1,) else (1,)
    if not isinstance(x, Value):
        array = np.asarray(x)
        axes = (*front, *(1,) * (len(result) - array.ndim), *array.shape)
        array = array.reshape(() if array.size == 1 else axes)
        given = index < len(layer.inputs) and layer.inputs[index] in builder.constants
        stem = layer.inputs[index] if given else f"{layer.name}/operand_{index}"
        return builder.add_constant(stem, array)
    stored = builder.shape(x.tensor)
    own = stored[len(stored) - len(x.shape) :]
    axes = (*front, *(1,) * (len(result) - len(own)), *own)
    return builder.reshape(layer, x.tensor, axes or (1,), f"aligned_{index}")


def quotient(
    layer: Layer,
    builder: Builder,
    left: Value | np.ndarray,
    right: Value | np.ndarray,
) -> Value:
    """left / right: by a constant it is a product, of 1 it is a power."""
    if isinstance(right, Value):
        if not isinstance(left, Value) and left.size == 1 and float(left.reshape(())) == 1.0:
            return unary_of(layer, builder, Op.POWER, right, PowerAttrs(-1.0))
        return binary(layer, builder, Op.DIV, (left, right))
    divisor = right.astype(np.float64)
    if not divisor.all():
        raise RefusalError("it divides by a constant that holds zero")
    return binary(layer, builder, Op.MUL, (left, (1.0 / divisor).astype(np.float32)))


def clamped(
    layer: Layer, builder: Builder, value: Value, lo: float, hi: float, suffix: str = ""
) -> Value:
    """``min(max(x, lo), hi)``."""
    if math.isnan(lo) or math.isnan(hi):
        raise RefusalError(f"{layer.op} has a limit that is not a number")
    attrs = ClampAttrs(Clamp(min(lo, hi), hi))
    return unary_of(layer, builder, Op.CLAMP, value, attrs, suffix)
