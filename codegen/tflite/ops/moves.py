"""Operations that move codes: CONCAT, RESHAPE, TRANSPOSE, PAD, SLICE."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.codegen.tflite.writer import Writer
from tinyflow.ir import Node


def write_concat(writer: Writer, node: Node) -> None:
    attrs: Any = node.attrs
    inputs, outputs = writer.operands(node), [writer.result(node)]
    writer.emit("CONCATENATION", inputs, outputs, "ConcatenationOptions", axis=attrs.axis)


def write_reshape(writer: Writer, node: Node) -> None:
    attrs: Any = node.attrs
    inputs = [*writer.operands(node), writer.constant(node, "shape", attrs.shape)]
    shape = list(attrs.shape)
    writer.emit("RESHAPE", inputs, [writer.result(node)], "ReshapeOptions", newShape=shape)


def write_transpose(writer: Writer, node: Node) -> None:
    attrs: Any = node.attrs
    inputs = [*writer.operands(node), writer.constant(node, "perm", attrs.perm)]
    writer.emit("TRANSPOSE", inputs, [writer.result(node)], "TransposeOptions")


def write_pad(writer: Writer, node: Node) -> None:
    attrs: Any = node.attrs
    form: Any = node.integer
    result = writer.graph.result(node)
    inputs = [*writer.operands(node), writer.constant(node, "pads", attrs.pads)]
    if form.value == result.params.zero_point:
        writer.emit("PAD", inputs, [writer.result(node)], "PadOptions")
        return
    dtype = result.dtype.numpy.type
    inputs.append(writer.constant(node, "border", [form.value], dtype, result.quant))
    writer.emit("PADV2", inputs, [writer.result(node)], "PadV2Options")


def write_slice(writer: Writer, node: Node) -> None:
    attrs: Any = node.attrs
    inputs = [*writer.operands(node), writer.constant(node, "begin", attrs.begin)]
    if all(stride == 1 for stride in attrs.strides):
        inputs.append(writer.constant(node, "size", np.subtract(attrs.end, attrs.begin)))
        writer.emit("SLICE", inputs, [writer.result(node)], "SliceOptions")
        return
    inputs.append(writer.constant(node, "end", attrs.end))
    inputs.append(writer.constant(node, "strides", attrs.strides))
    writer.emit("STRIDED_SLICE", inputs, [writer.result(node)], "StridedSliceOptions")
