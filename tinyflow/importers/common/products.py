"""Matrix products: of an activation with a constant, and of two activations."""

from __future__ import annotations

import math

import numpy as np

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.views import (
    concat_of,
    expanded,
    part_of,
    reshape_to,
    stored_shape,
    transpose_to,
)
from tinyflow.ir import Op, Shape
from tinyflow.ir.ops.fully_connected import FullyConnectedAttrs
from tinyflow.ir.ops.matmul import MatmulAttrs


def linear(
    layer: Layer,
    builder: Builder,
    x: Value,
    weight: np.ndarray,
    bias: np.ndarray | None = None,
    stem: str = "",
    suffix: str = "",
    bias_stem: str = "",
) -> Value:
    """x [..., k] times weight [o, k], transposed, plus bias [o] -> [..., o]. The stems name the
    constants."""
    if weight.ndim != 2 or x.shape[-1:] != weight.shape[1:]:
        raise RefusalError(f"an input {list(x.shape)} does not fit a weight {list(weight.shape)}")
    stem = stem or f"{layer.name}/weight"
    inputs = [builder.full(x, layer), builder.add_constant(stem, weight)]
    if bias is not None:
        inputs.append(builder.add_constant(bias_stem or f"{stem}/bias", bias))
    y = builder.emit(layer, Op.FULLY_CONNECTED, inputs, FullyConnectedAttrs(), suffix)
    return Value(y, (*x.shape[:-1], len(weight)))


def product(layer: Layer, builder: Builder) -> Value:
    """The product of the layer's two operands, with NumPy's rules for axes in front."""
    if builder.is_constant(layer, 0):
        return _from_left(layer, builder)
    if builder.is_constant(layer, 1):
        weight = builder.weight(layer, 1, "weight")
        return _from_right(layer, builder, builder.value(layer), weight, layer.inputs[1])
    return product_of(layer, builder, builder.value(layer, 0), builder.value(layer, 1))


def product_of(
    layer: Layer,
    builder: Builder,
    a: Value,
    b: Value,
    suffix: str = "",
    transpose_b: bool = False,
) -> Value:
    """Of two activations a [..., m, k] and b [..., k, p], or [..., p, k] with ``transpose_b``.

    Leading axes broadcast, and an operand of one axis is a row or a column, as in NumPy.
    """
    if min(len(a.shape), len(b.shape)) < 2:
        return _of_vectors(layer, builder, a, b, suffix)
    columns = b.shape[-2] if transpose_b else b.shape[-1]
    fronts = [tuple(d for d in x.shape[:-2] if d > 1) for x in (a, b)]
    try:
        front = tuple(int(d) for d in np.broadcast_shapes(a.shape[:-2], b.shape[:-2]))
    except ValueError:
        raise RefusalError(
            f"the leading axes of {list(a.shape)} and {list(b.shape)} do not broadcast"
        ) from None
    result = (*front, a.shape[-2], columns)
    if fronts[0] != fronts[1] and not fronts[1]:
        # One matrix for the whole stack: the stack's rows are rows of one matrix.
        rows = math.prod(a.shape[:-1])
        left = reshape_to(layer, builder, a, (1, rows, a.shape[-1]), "rows").tensor
        right = reshape_to(layer, builder, b, (1, *b.shape[-2:]), "matrix").tensor
    else:
        if fronts[0] != fronts[1]:
            a, b = (expanded(layer, builder, x, (*front, *x.shape[-2:])) for x in (a, b))
        wide = tuple(d for d in front if d > 1)
        left, right = (_stack(layer, builder, x, wide, name) for x, name in ((a, "a"), (b, "b")))
    attrs = MatmulAttrs(transpose_b=transpose_b)
    y = builder.emit(layer, Op.MATMUL, (left, right), attrs, suffix)
    x = builder.reshape(layer, y, stored_shape(result), "unstacked")
    return Value(x, result)


def _of_vectors(layer: Layer, builder: Builder, a: Value, b: Value, suffix: str) -> Value:
    """Where one operand has one axis: as a matrix of one row or column, which is taken off."""
    left = a if len(a.shape) > 1 else reshape_to(layer, builder, a, (1, *a.shape), "row")
    right = b if len(b.shape) > 1 else reshape_to(layer, builder, b, (*b.shape, 1), "column")
    y = product_of(layer, builder, left, right, suffix)
    rows = () if len(a.shape) == 1 else y.shape[-2:-1]
    columns = () if len(b.shape) == 1 else y.shape[-1:]
    return reshape_to(layer, builder, y, (*y.shape[:-2], *rows, *columns), "squeezed")


def _stack(layer: Layer, builder: Builder, x: Value, front: Shape, name: str) -> str:
    """As [1, m, k] or [1, stack, m, k]."""
    tensor = builder.full(x, layer)
    stored = builder.shape(tensor)
    if len(stored) == len(front) + 3 and len(stored) in (3, 4):
        return tensor
    axes = (1, math.prod(front)) if front else (1,)
    return builder.reshape(layer, tensor, (*axes, *x.shape[-2:]), f"stacked_{name}")


def _from_right(layer: Layer, builder: Builder, x: Value, weight: np.ndarray, stem: str) -> Value:
    """x [..., k] times [k], [k, o] or a stack of these."""
    if weight.ndim == 1:
        y = linear(layer, builder, x, weight[None], stem=stem)
        return reshape_to(layer, builder, y, x.shape[:-1], "squeezed")
    front = tuple(int(d) for d in np.broadcast_shapes(x.shape[:-2], weight.shape[:-2]))
    count = math.prod(weight.shape[:-2])
    if count == 1:
        y = linear(layer, builder, x, weight.reshape(weight.shape[-2:]).T, stem=stem)
        return reshape_to(layer, builder, y, (*front, *y.shape[-2:]), "stacked")
    return _from_stack(layer, builder, x, weight, stem)


def _from_stack(layer: Layer, builder: Builder, x: Value, weight: np.ndarray, stem: str) -> Value:
    """x [..., m, k] times a different matrix [k, o] for each index of one leading axis."""
    axes = [axis for axis in range(weight.ndim - 2) if weight.shape[axis] > 1]
    axis = axes[0] - weight.ndim
    if len(axes) > 1 or len(x.shape) < -axis or x.shape[axis] != weight.shape[axis]:
        raise RefusalError(
            f"it multiplies an activation {list(x.shape)} by a stack of matrices "
            f"{list(weight.shape)}",
            "let the stack run over one axis that the activation has too",
        )
    parts = []
    for index, matrix in enumerate(weight.reshape(-1, *weight.shape[-2:])):
        piece = part_of(layer, builder, x, len(x.shape) + axis, index, index + 1, f"{index}/part")
        parts.append(
            linear(layer, builder, piece, matrix.T, stem=f"{stem}/{index}", suffix=str(index))
        )
    return concat_of(layer, builder, parts, len(x.shape) + axis)


def _from_left(layer: Layer, builder: Builder) -> Value:
    """[o, k] times x [..., k, n]: the product of the transposes, transposed."""
    x = builder.value(layer, 1)
    weight = builder.weight(layer, 0, "weight")
    while weight.ndim > 2 and weight.shape[0] == 1:
        weight = weight[0]
    if weight.ndim > 2:
        raise RefusalError(
            f"it multiplies a stack of constants {list(weight.shape)} by an activation",
            "write it with the constants on the right",
        )
    rank = len(x.shape)
    if rank < 2:
        return _vector_from_left(layer, builder, x, weight)
    swap = (*range(rank - 2), rank - 1, rank - 2)
    columns = transpose_to(layer, builder, x, swap, "transposed")
    if weight.ndim == 1:
        y = linear(layer, builder, columns, weight[None], stem=layer.inputs[0])
        return reshape_to(layer, builder, y, y.shape[:-1], "squeezed")
    y = linear(layer, builder, columns, weight, stem=layer.inputs[0])
    return transpose_to(layer, builder, y, swap, "restored")


def _vector_from_left(layer: Layer, builder: Builder, x: Value, weight: np.ndarray) -> Value:
    """[o, k] or [k] times x [k]."""
    y = linear(layer, builder, x, np.atleast_2d(weight), stem=layer.inputs[0])
    return y if weight.ndim == 2 else reshape_to(layer, builder, y, (), "squeezed")
