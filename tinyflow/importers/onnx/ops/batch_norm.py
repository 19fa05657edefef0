"""BatchNormalization."""

from __future__ import annotations

import numpy as np

from tinyflow.importers.onnx.builder import Builder
from tinyflow.importers.onnx.layer import Layer, RefusalError
from tinyflow.ir import Op
from tinyflow.ir.ops.batch_norm import BatchNormAttrs

_PARAMETERS = ("scale", "bias", "mean", "variance")


def convert_batch_norm(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """Inference mode with constant statistics; a pass folds it into a neighbour where it can."""
    if layer.integer("training_mode", 0):
        raise RefusalError(
            "BatchNormalization is in training mode", "call model.eval() before the export"
        )
    values = [builder.weight(layer, i, what) for i, what in enumerate(_PARAMETERS, start=1)]
    epsilon = layer.number("epsilon", 1e-5)
    if np.any(values[3] + epsilon <= 0):
        raise RefusalError("BatchNormalization has a variance that is not positive")
    x = builder.activation(layer)
    rank = len(builder.shape(x))
    if rank < 2:
        raise RefusalError(f"BatchNormalization of {list(builder.shape(x))} has no channels")
    channels_last = (0, *range(2, rank), 1)
    back = (0, rank - 1, *range(1, rank - 1))
    inputs = [builder.transpose(layer, x, channels_last, "channels_last")]
    inputs += [builder.add_constant(layer.inputs[i], v) for i, v in enumerate(values, start=1)]
    y = builder.emit(layer, Op.BATCH_NORM, inputs, BatchNormAttrs(epsilon))
    return (builder.transpose(layer, y, back, "channels_first"),)
