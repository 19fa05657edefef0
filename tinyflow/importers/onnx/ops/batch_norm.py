"""BatchNormalization."""

from __future__ import annotations

from tinyflow.importers.common.batch_norm import batch_norm
from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer, RefusalError

_PARAMETERS = ("scale", "bias", "mean", "variance")


def convert_batch_norm(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Inference mode with constant statistics; a pass folds it into a neighbour where it can."""
    if layer.integer("training_mode", 0):
        raise RefusalError(
            "BatchNormalization is in training mode", "call model.eval() before the export"
        )
    values = [builder.weight(layer, i, what) for i, what in enumerate(_PARAMETERS, start=1)]
    return (batch_norm(layer, builder, values, layer.inputs[1:5], layer.number("epsilon", 1e-5)),)
