"""One of two values, by a constant condition."""

from __future__ import annotations

import numpy as np

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.elementwise import binary
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.views import expanded
from tinyflow.ir import Op, Shape


def chosen(
    layer: Layer,
    builder: Builder,
    condition: np.ndarray,
    left: Value | np.ndarray,
    right: Value | np.ndarray,
) -> Value:
    """``left`` where the condition is true, else ``right``; they broadcast with it.

    ``left * c + right * (1 - c)``, without what is zero everywhere.
    """
    shapes = (condition.shape, _shape(left), _shape(right))
    shape = tuple(int(d) for d in np.broadcast_shapes(*shapes))
    for value, taken in ((left, condition.all()), (right, not condition.any())):
        if isinstance(value, Value) and taken:
            return expanded(layer, builder, value, shape)
    sides = ((left, condition, "left"), (right, ~condition, "right"))
    kept = [_masked(layer, builder, *side) for side in sides]
    # A constant that is zero wherever it is taken adds nothing.
    terms = [x for x in kept if isinstance(x, Value) or x.any()]
    total = terms[0] if len(terms) == 1 else binary(layer, builder, Op.ADD, (kept[0], kept[1]))
    assert isinstance(total, Value)
    return expanded(layer, builder, total, shape)


def _shape(x: Value | np.ndarray) -> Shape:
    return x.shape if isinstance(x, Value) else tuple(int(d) for d in np.shape(x))


def _masked(
    layer: Layer, builder: Builder, x: Value | np.ndarray, mask: np.ndarray, suffix: str
) -> Value | np.ndarray:
    ones = mask.astype(np.float32)
    if isinstance(x, Value):
        return binary(layer, builder, Op.MUL, (x, ones), suffix)
    if not np.isfinite(np.broadcast_arrays(x, mask)[0][np.broadcast_arrays(x, mask)[1]]).all():
        raise RefusalError(f"{layer.op} chooses numbers that are not finite")
    return np.where(mask, x, np.float32(0))
