"""Softmax, LogSoftmax and Hardmax."""

from __future__ import annotations

import math
from collections.abc import Callable

from tinyflow.importers.common.axes import softmax_of
from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer
from tinyflow.importers.common.softmax import hardmax_of, log_softmax_of
from tinyflow.importers.common.views import reshape_to

_OVER_ONE_AXIS = 13
"""The operator set from which on these layers work over one axis alone."""


def convert_softmax(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over any axis; another than the last costs transposes."""
    return (over_axis(layer, builder, softmax_of),)


def convert_log_softmax(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over any axis; becomes ``x - log(sum(exp(x)))``."""
    return (over_axis(layer, builder, log_softmax_of),)


def convert_hardmax(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over any axis; becomes comparisons with the largest element, of which the first counts."""
    return (over_axis(layer, builder, hardmax_of),)


def over_axis(
    layer: Layer, builder: Builder, of: Callable[[Layer, Builder, Value, int], Value]
) -> Value:
    """``of(layer, builder, value, axis)`` over the layer's axis; in older operator sets over
    all axes from that one on, as if they were one."""
    x = builder.value(layer)
    if layer.opset >= _OVER_ONE_AXIS:
        return of(layer, builder, x, layer.integer("axis", -1))
    axis = layer.integer("axis", 1) % len(x.shape)
    joined = (*x.shape[:axis], math.prod(x.shape[axis:]))
    y = of(layer, builder, reshape_to(layer, builder, x, joined, "joined"), axis)
    return reshape_to(layer, builder, y, x.shape, "parted")
