"""BatchNorm and LayerNorm."""

from __future__ import annotations

import numpy as np

from tinyflow.importers.common.axes import layer_norm_of
from tinyflow.importers.common.batch_norm import batch_norm
from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer, RefusalError


def convert_batch_norm(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Evaluation mode, with constant statistics; a pass folds it into a neighbour where it can."""
    if layer.flag("training"):
        raise RefusalError(
            "its batch normalization is in training mode", "call model.eval() before the export"
        )
    mean, variance = builder.weight(layer, 3, "mean"), builder.weight(layer, 4, "variance")
    scale = builder.weight(layer, 1, "weight") if layer.has(1) else np.ones_like(mean)
    offset = builder.weight(layer, 2, "bias") if layer.has(2) else np.zeros_like(mean)
    parts = ("weight", "bias", "mean", "variance")
    stems = [
        layer.inputs[i] if layer.has(i) else f"{layer.name}/{part}"
        for i, part in enumerate(parts, start=1)
    ]
    parameters = [scale, offset, mean, variance]
    return (batch_norm(layer, builder, parameters, stems, layer.number("eps", 1e-5)),)


def convert_layer_norm(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over the last axes; weight and bias are constants."""
    if any(layer.outputs[1:]):
        raise RefusalError(f"{layer.op} whose mean is used is not supported")
    axes = len(layer.integers("normalized_shape") or ())
    gamma = builder.weight(layer, 1, "weight") if layer.has(1) else None
    beta = builder.weight(layer, 2, "bias") if layer.has(2) else None
    x = builder.value(layer)
    epsilon = layer.number("eps", 1e-5)
    return (layer_norm_of(layer, builder, x, axes, epsilon, gamma, beta),)
