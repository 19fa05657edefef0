"""Views: other shapes and orders of the same elements, parts of them, and what joins them."""

from __future__ import annotations

import math

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.picking import picked
from tinyflow.importers.common.views import (
    concat_of,
    expanded,
    part_of,
    reshape_to,
    split_of,
    transpose_to,
    without_axis,
)


def convert_reshape(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any shape."""
    return (reshape_to(layer, builder, builder.value(layer), layer.shapes[0]),)


def convert_permute(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any order of the axes; passes remove what they can."""
    x = builder.value(layer)
    return (transpose_to(layer, builder, x, layer.integers("dims") or ()),)


def convert_transpose(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any two axes; passes remove what they can."""
    x = builder.value(layer)
    order = list(range(len(x.shape)))
    if order:
        a, b = layer.integer("dim0", 0), layer.integer("dim1", -1)
        order[a], order[b] = order[b], order[a]
    return (transpose_to(layer, builder, x, order),)


def convert_expand(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """For operations that broadcast; nothing is copied."""
    return (expanded(layer, builder, builder.value(layer), layer.shapes[0]),)


def convert_slice(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Along any axis but the batch, with constant bounds and a positive step."""
    x = builder.value(layer)
    axis = layer.integer("dim", 0) % len(x.shape)
    bounds = slice(layer.attributes.get("start"), layer.attributes.get("end"))
    begin, end, _ = bounds.indices(x.shape[axis])
    step = layer.integer("step", 1)
    return (part_of(layer, builder, x, axis, begin, end, stride=step),)


def convert_select(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """One index of any axis."""
    x = builder.value(layer)
    axis = layer.integer("dim", 0) % len(x.shape)
    index = layer.integer("index", 0) % x.shape[axis]
    part = part_of(layer, builder, x, axis, index, index + 1)
    return (without_axis(layer, builder, part, axis),)


def convert_unbind(layer: Layer, builder: Builder) -> tuple[Value | str, ...]:
    """Along any axis; each part is a slice."""
    x = builder.value(layer)
    axis = layer.integer("dim", 0) % len(x.shape)
    parts = split_of(layer, builder, x, axis, (1,) * x.shape[axis])
    return tuple(
        without_axis(layer, builder, part, axis, f"{i}/squeezed") if isinstance(part, Value) else ""
        for i, part in enumerate(parts)
    )


def convert_split(layer: Layer, builder: Builder) -> tuple[Value | str, ...]:
    """Equal or stated parts along any axis but the batch; each part is a slice."""
    x = builder.value(layer)
    axis = layer.integer("dim", 0) % len(x.shape)
    return split_of(layer, builder, x, axis, [shape[axis] for shape in layer.shapes])


def convert_cat(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Along any axis."""
    # Torch lets empty tensors of one axis take part, which add nothing.
    values = [builder.value(layer, i) for i in range(len(layer.inputs))]
    return (concat_of(layer, builder, values, layer.integer("dim", 0) % len(values[0].shape)),)


def convert_stack(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Along a new axis anywhere."""
    values = [builder.value(layer, i) for i in range(len(layer.inputs))]
    axis = layer.integer("dim", 0) % (len(values[0].shape) + 1)
    shape = (*values[0].shape[:axis], 1, *values[0].shape[axis:])
    raised = [reshape_to(layer, builder, v, shape, f"unsqueezed_{i}") for i, v in enumerate(values)]
    return (concat_of(layer, builder, raised, axis),)


def convert_index_select(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Constant indices; each ascending run of them is a slice."""
    x = builder.value(layer)
    axis = layer.integer("dim", 0) % len(x.shape)
    return (picked(layer, builder, x, axis, builder.integers(layer, 1, "index")),)


def convert_index(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Constant indices of one axis; each ascending run of them is a slice."""
    x = builder.value(layer)
    given = [i for i in range(1, len(layer.inputs)) if layer.has(i)]
    if len(given) != 1:
        raise RefusalError("indexing with several tensors is not supported")
    axis = given[0] - 1
    indices = builder.constant(layer, given[0], "index")
    if indices.dtype == bool:
        raise RefusalError("indexing with a mask is not supported", "slice instead")
    y = picked(layer, builder, x, axis, indices.reshape(-1).tolist())
    return (reshape_to(layer, builder, y, layer.shapes[0], "shaped"),)


def convert_as_strided(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Where it only gives all elements, in order, another shape."""
    x = builder.value(layer)
    size, stride = layer.integers("size") or (), layer.integers("stride") or ()
    dense = [math.prod(size[i + 1 :]) for i in range(len(size))]
    same = all(d == 1 or s == t for d, s, t in zip(size, stride, dense, strict=True))
    if not same or math.prod(size) != math.prod(x.shape) or layer.integer("storage_offset", 0):
        raise RefusalError("as_strided that reorders or repeats elements is not supported")
    return (reshape_to(layer, builder, x, size),)
