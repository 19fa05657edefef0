"""TRANSPOSE_CONV_2D."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.codegen.tflite.clamps import fuse
from tinyflow.codegen.tflite.windows import PaddingKind
from tinyflow.codegen.tflite.writer import Writer
from tinyflow.ir import Node
from tinyflow.ir.ops.spatial import same_padding


def write_transpose_conv(writer: Writer, node: Node) -> None:
    """A padding that TFLite has no name for is cropped from the larger result."""
    attrs: Any = node.attrs
    image, weight, *bias = writer.operands(node)
    kernel = writer.graph.operands(node)[1].shape[1:3]
    result = writer.graph.result(node)
    before = (attrs.padding[0][0], attrs.padding[1][0])
    same = tuple(
        same_padding(result.shape[1 + i], kernel[i], attrs.strides[i], 1)[0] for i in (0, 1)
    )
    clamp = fuse(writer, node, attrs.clamp)
    kind, shape, target = PaddingKind.SAME, result.shape, clamp.output
    if before != same:
        kind = PaddingKind.VALID
        shape = (shape[0], shape[1] + before[0], shape[2] + before[1], shape[3])
        if before != (0, 0):
            target = writer.inner(node, "uncropped", shape, result.dtype, result.quant)
    writer.emit(
        "TRANSPOSE_CONV",
        [writer.constant(node, "shape", shape), weight, image, *bias],
        [target],
        "TransposeConvOptions",
        padding=kind,
        strideH=attrs.strides[0],
        strideW=attrs.strides[1],
        fusedActivationFunction=clamp.activation,
    )
    if target != clamp.output:
        begin = writer.constant(node, "begin", np.subtract(shape, result.shape))
        size = writer.constant(node, "size", result.shape)
        writer.emit("SLICE", [target, begin, size], [clamp.output], "SliceOptions")
    clamp.finish(writer, node)
