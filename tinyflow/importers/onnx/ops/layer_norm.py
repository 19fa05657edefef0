"""LayerNormalization."""

from __future__ import annotations

from tinyflow.importers.common.axes import layer_norm_of, standardized
from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer


def convert_layer_norm(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over the last axes; scale and bias are constants. The mean and the deviation as further
    outputs cost layers of their own."""
    x = builder.value(layer)
    axes = len(x.shape) - layer.integer("axis", -1) % len(x.shape)
    gamma = builder.weight(layer, 1, "scale")
    beta = builder.weight(layer, 2, "bias") if layer.has(2) else None
    epsilon = layer.number("epsilon", 1e-5)
    y = layer_norm_of(layer, builder, x, axes, epsilon, gamma, beta)
    if not any(layer.outputs[1:]):
        return (y,)
    return (y, *standardized(layer, builder, x, axes, epsilon))
