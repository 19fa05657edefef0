"""ScatterElements, ScatterND and the old Scatter: elements replaced at constant places."""

from __future__ import annotations

import math

import numpy as np

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.picking import rearranged
from tinyflow.importers.onnx.ops.gather import places


def convert_scatter_elements(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Constant indices, in a few runs of neighbours; each place once, no reduction."""
    data, updates = builder.value(layer), builder.value(layer, 2)
    axis = layer.integer("axis", 0) % len(data.shape)
    indices = builder.constant(layer, 1, "indices")
    where = np.indices(indices.shape)
    where[axis] = np.where(indices < 0, indices + data.shape[axis], indices)
    return (_replaced(layer, builder, data, updates, places(data.shape)[tuple(where)]),)


def convert_scatter_nd(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Constant indices, in a few runs of neighbours; each place once, no reduction."""
    data, updates = builder.value(layer), builder.value(layer, 2)
    indices = np.moveaxis(builder.constant(layer, 1, "indices"), -1, 0)
    sizes = np.reshape(data.shape[: len(indices)], (-1, *(1,) * (indices.ndim - 1)))
    where = np.where(indices < 0, indices + sizes, indices)
    return (_replaced(layer, builder, data, updates, places(data.shape)[tuple(where)]),)


def _replaced(
    layer: Layer, builder: Builder, data: Value, updates: Value, targets: np.ndarray
) -> Value:
    """``data`` with the elements of ``updates`` at the places ``targets``, of equal shape."""
    reduction = layer.text("reduction", "none")
    if reduction != "none":
        raise RefusalError(
            f"{layer.op} that combines elements by '{reduction}' is not supported",
            "add the updates as a tensor of zeros and values",
        )
    if len(np.unique(targets)) != targets.size:
        raise RefusalError(f"{layer.op} writes a place twice")
    order = places(data.shape).reshape(-1)
    order[targets.reshape(-1)] = math.prod(data.shape) + np.arange(targets.size)
    return rearranged(layer, builder, [data, updates], order.reshape(data.shape))
