"""Identity, Dropout, Cast and CastLike: layers that leave their input as it is."""

from __future__ import annotations

import numpy as np
import onnx

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.onnx.input_shapes import FLOAT_TYPES


def convert_identity(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Dropped."""
    return (builder.value(layer),)


def convert_dropout(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Dropped; in training mode, or with its mask as an output, it is refused."""
    if len([o for o in layer.outputs if o]) > 1:
        raise RefusalError("Dropout with its mask as an output is not supported")
    if layer.has(2) and builder.constant(layer, 2, "training mode").any():
        raise RefusalError("Dropout is in training mode", "call model.eval() before the export")
    return (builder.value(layer),)


def convert_cast(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Dropped between float types; to any other type it is refused."""
    kind = layer.integer("to", onnx.TensorProto.FLOAT)
    if kind not in FLOAT_TYPES:
        name = onnx.TensorProto.DataType.Name(kind).lower()
        raise RefusalError(f"Cast to {name} is not supported", "keep the model in float")
    return (builder.value(layer),)


def convert_cast_like(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Dropped where its second operand is computed: all that is computed is float."""
    if builder.is_constant(layer, 1):
        raise RefusalError("CastLike to the type of a constant is not supported", "keep it float")
    if not builder.is_constant(layer, 0):
        return (builder.value(layer),)
    builder.constants[layer.outputs[0]] = np.asarray(
        builder.constants[layer.inputs[0]], dtype=np.float32
    )
    return ()
