"""ArgMax and ArgMin."""

from __future__ import annotations

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.elementwise import binary
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.views import transpose_to, without_axis
from tinyflow.ir import Op
from tinyflow.ir.ops.argmax import ArgmaxAttrs


def convert_argmax(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over any axis, as an output of the model; the first of equal ones. In int8 with keepdims."""
    return (_index_of_largest(layer, builder, builder.value(layer)),)


def convert_argmin(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """As ArgMax, of the elements with their signs changed."""
    negated = binary(layer, builder, Op.MUL, (builder.value(layer), -1.0), "negated")
    return (_index_of_largest(layer, builder, negated),)


def _index_of_largest(layer: Layer, builder: Builder, x: Value) -> Value:
    if layer.integer("select_last_index", 0):
        raise RefusalError(
            f"{layer.op} that gives the last of equal elements is not supported",
            "let it give the first one",
        )
    rank = len(x.shape)
    axis = layer.integer("axis", 0) % rank
    perm = (*(i for i in range(rank) if i != axis), axis)
    last = transpose_to(layer, builder, x, perm, "axis_last")
    y = builder.emit(layer, Op.ARGMAX, (builder.full(last, layer),), ArgmaxAttrs())
    index = Value(y, (*last.shape[:-1], 1))
    if not layer.integer("keepdims", 1):
        return without_axis(layer, builder, index, rank - 1)
    back = sorted(range(rank), key=lambda i: perm[i])
    return transpose_to(layer, builder, index, back, "axis_back")
