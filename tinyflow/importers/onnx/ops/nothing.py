"""Identity, Dropout and Cast: layers that leave their input as it is."""

from __future__ import annotations

import onnx

from tinyflow.importers.onnx.builder import Builder
from tinyflow.importers.onnx.input_shapes import FLOAT_TYPES
from tinyflow.importers.onnx.layer import Layer, RefusalError


def convert_identity(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """Dropped."""
    return (builder.activation(layer),)


def convert_dropout(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """Dropped; in training mode, or with its mask as an output, it is refused."""
    if len([o for o in layer.outputs if o]) > 1:
        raise RefusalError("Dropout with its mask as an output is not supported")
    if layer.has(2) and builder.constant(layer, 2, "training mode").any():
        raise RefusalError("Dropout is in training mode", "call model.eval() before the export")
    return (builder.activation(layer),)


def convert_cast(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """Dropped between float types; to any other type it is refused."""
    kind = layer.integer("to", onnx.TensorProto.FLOAT)
    if kind not in FLOAT_TYPES:
        name = onnx.TensorProto.DataType.Name(kind).lower()
        raise RefusalError(f"Cast to {name} is not supported", "keep the model in float")
    return (builder.activation(layer),)
