"""ARGMAX."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.tflite.writer import NoBuiltinError, Writer
from tinyflow.ir import DType, Node, QuantParams

_INT32 = 2
"""In TFLite's ``TensorType``."""
_SIGNED = QuantParams.per_tensor(1.0, -128)
"""Of the indices 0 to 255 as int8 codes."""


def write_argmax(writer: Writer, node: Node) -> None:
    """ARG_MAX gives int32 without the last axis, the result has codes of scale 1."""
    attrs: Any = node.attrs
    if attrs.resize is not None:
        raise NoBuiltinError("TFLite rounds an enlarged image before it looks for the maximum")
    emit_argmax(writer, node, writer.operands(node)[0])


def emit_argmax(writer: Writer, node: Node, image: int) -> None:
    """From the tensor ``image``, which is as large as the node's result."""
    result = writer.graph.result(node)
    shape = result.shape[:-1]
    index = writer.inner(node, "index", shape, DType.INT32, None)
    axis = writer.constant(node, "axis", len(shape))
    writer.emit("ARG_MAX", [image, axis], [index], "ArgMaxOptions", outputType=_INT32)
    if result.dtype is DType.UINT8:
        # CAST of TFLite Micro knows no uint8, QUANTIZE does.
        centred = writer.inner(node, "centred", shape, DType.INT32, None)
        offset = writer.constant(node, "offset", [_SIGNED.zero_point])
        writer.emit("ADD", [index, offset], [centred], "AddOptions")
        signed = writer.inner(node, "signed", shape, DType.INT8, _SIGNED)
        writer.emit("CAST", [centred], [signed], "CastOptions")
        codes = writer.inner(node, "codes", shape, DType.UINT8, result.quant)
        writer.emit("QUANTIZE", [signed], [codes], "QuantizeOptions")
    else:
        codes = writer.inner(node, "codes", shape, result.dtype, result.quant)
        writer.emit("CAST", [index], [codes], "CastOptions")
    inputs = [codes, writer.constant(node, "shape", result.shape)]
    new_shape = list(result.shape)
    writer.emit("RESHAPE", inputs, [writer.result(node)], "ReshapeOptions", newShape=new_shape)
