"""Normalizations besides BatchNormalization and LayerNormalization."""

from __future__ import annotations

import numpy as np

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.normalizations import (
    group_norm,
    l1_normalized,
    l2_normalized,
    local_response_norm,
    mean_variance_norm,
    rms_norm,
)

_PER_CHANNEL = 21
"""The operator set from which on GroupNormalization scales channels, not groups."""


def convert_group_norm(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Scale and bias are constants; becomes a layer normalization of each group."""
    x = builder.value(layer)
    groups = layer.integer("num_groups", 1)
    scale, bias = builder.weight(layer, 1, "scale"), builder.weight(layer, 2, "bias")
    if layer.opset < _PER_CHANNEL:
        width = x.shape[1] // max(groups, 1)
        scale, bias = np.repeat(scale, width), np.repeat(bias, width)
    epsilon = layer.number("epsilon", 1e-5)
    return (group_norm(layer, builder, x, groups, epsilon, scale, bias),)


def convert_instance_norm(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Scale and bias are constants; becomes a layer normalization of each channel."""
    x = builder.value(layer)
    scale, bias = builder.weight(layer, 1, "scale"), builder.weight(layer, 2, "bias")
    epsilon = layer.number("epsilon", 1e-5)
    return (group_norm(layer, builder, x, x.shape[1], epsilon, scale, bias),)


def convert_mean_variance_norm(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over any axes; becomes a layer normalization."""
    x = builder.value(layer)
    # The standard adds 1e-9 to the deviation, which LAYER_NORM's epsilon is inside of.
    return (mean_variance_norm(layer, builder, x, layer.integers("axes") or (0, 2, 3), 1e-18),)


def convert_rms_norm(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over the last axes; the scale is constant. Becomes a layer normalization of twice the
    width."""
    x = builder.value(layer)
    axes = len(x.shape) - layer.integer("axis", -1) % len(x.shape)
    scale = builder.weight(layer, 1, "scale")
    return (rms_norm(layer, builder, x, axes, layer.number("epsilon", 1e-5), scale),)


def convert_lp_normalization(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """p = 1 and p = 2, over any axis."""
    p, axis = layer.integer("p", 2), layer.integer("axis", -1)
    if p not in (1, 2):
        raise RefusalError(f"LpNormalization with p = {p} is not supported", "use p = 2")
    of = l1_normalized if p == 1 else l2_normalized
    return (of(layer, builder, builder.value(layer), axis),)


def convert_lrn(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any size, alpha, beta and bias."""
    size, bias = layer.integer("size", 1), layer.number("bias", 1.0)
    alpha, beta = layer.number("alpha", 1e-4), layer.number("beta", 0.75)
    x = builder.value(layer)
    return (local_response_norm(layer, builder, x, size, alpha, beta, bias),)
