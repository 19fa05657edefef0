"""LayerNormalization."""

from __future__ import annotations

from tinyflow.importers.common.axes import layer_norm_of
from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer, RefusalError


def convert_layer_norm(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over the last axes; scale and bias are constants."""
    if any(layer.outputs[1:]):
        raise RefusalError("LayerNormalization with its mean as an output is not supported")
    x = builder.value(layer)
    axes = len(x.shape) - layer.integer("axis", -1) % len(x.shape)
    gamma = builder.weight(layer, 1, "scale")
    beta = builder.weight(layer, 2, "bias") if layer.has(2) else None
    epsilon = layer.number("epsilon", 1e-5)
    return (layer_norm_of(layer, builder, x, axes, epsilon, gamma, beta),)
