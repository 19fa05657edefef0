"""Reductions over axes: ReduceMean, ReduceMax and their kin."""

from __future__ import annotations

from tinyflow.importers.common.axes import mean_of, norm_of, sum_of
from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer
from tinyflow.importers.common.reductions import (
    Reduction,
    log_sum,
    log_sum_exp,
    max_of,
    min_of,
    product_of_elements,
    sum_of_magnitudes,
    sum_of_squares,
)
from tinyflow.importers.onnx.stated import stated_integers


def convert_reduce_mean(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over any constant axes."""
    return (_reduce(layer, builder, mean_of),)


def convert_reduce_sum(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over any constant axes; becomes a mean times the number of elements."""
    return (_reduce(layer, builder, sum_of),)


def convert_reduce_l2(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over any constant axes, becomes the root of a sum of squares."""
    return (_reduce(layer, builder, norm_of),)


def convert_reduce_max(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over any constant axes; becomes a pool."""
    return (_reduce(layer, builder, max_of),)


def convert_reduce_min(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over any constant axes; becomes a pool between changes of sign."""
    return (_reduce(layer, builder, min_of),)


def convert_reduce_prod(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over any constant axes; becomes products of halves."""
    return (_reduce(layer, builder, product_of_elements),)


def convert_reduce_l1(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over any constant axes; becomes a sum of magnitudes."""
    return (_reduce(layer, builder, sum_of_magnitudes),)


def convert_reduce_sum_square(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over any constant axes; becomes a sum of squares."""
    return (_reduce(layer, builder, sum_of_squares),)


def convert_reduce_log_sum(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over any constant axes; becomes the logarithm of a sum."""
    return (_reduce(layer, builder, log_sum),)


def convert_reduce_log_sum_exp(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over any constant axes; becomes the logarithm of a sum of powers that are at most 1."""
    return (_reduce(layer, builder, log_sum_exp),)


def _reduce(layer: Layer, builder: Builder, reduce: Reduction) -> Value:
    x = builder.value(layer)
    axes = stated_integers(layer, builder, 1, "axes") or ()
    if not axes and layer.integer("noop_with_empty_axes", 0):
        return x
    return reduce(layer, builder, x, axes, bool(layer.integer("keepdims", 1)))
