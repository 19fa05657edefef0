"""ReduceMean, ReduceSum, ReduceL2 and LpNormalization."""

from __future__ import annotations

from collections.abc import Callable

from tinyflow.importers.common.axes import mean_of, norm_of, sum_of
from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.elementwise import binary
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.onnx.stated import stated_integers
from tinyflow.ir import Op

Reduction = Callable[[Layer, Builder, Value, tuple[int, ...], bool], Value]


def convert_reduce_mean(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over any constant axes."""
    return (_reduce(layer, builder, mean_of),)


def convert_reduce_sum(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over any constant axes; becomes a mean times the number of elements."""
    return (_reduce(layer, builder, sum_of),)


def convert_reduce_l2(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over any constant axes, in normalizations; becomes the root of a sum of squares."""
    return (_reduce(layer, builder, norm_of),)


def convert_lp_normalization(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """p = 2, over any axis."""
    if layer.integer("p", 2) != 2:
        raise RefusalError("LpNormalization with p = 1 is not supported", "use p = 2")
    x = builder.value(layer)
    norm = norm_of(layer, builder, x, (layer.integer("axis", -1),), True)
    return (binary(layer, builder, Op.DIV, (x, norm), "divided"),)


def _reduce(layer: Layer, builder: Builder, reduce: Reduction) -> Value:
    x = builder.value(layer)
    axes = stated_integers(layer, builder, 1, "axes") or ()
    if not axes and layer.integer("noop_with_empty_axes", 0):
        return x
    return reduce(layer, builder, x, axes, bool(layer.integer("keepdims", 1)))
