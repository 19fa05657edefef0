"""ARGMAX of an image that is enlarged before."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.tflite.ops.argmax import emit_argmax
from tinyflow.codegen.tflite.ops.resize import emit_resize
from tinyflow.codegen.tflite.writer import Writer
from tinyflow.ir import Node


def lower_argmax(writer: Writer, node: Node) -> None:
    """The enlarged image is rounded to codes, in which more classes are equal."""
    attrs: Any = node.attrs
    x, result = writer.graph.operands(node)[0], writer.graph.result(node)
    shape = (*result.shape[:-1], x.shape[-1])
    enlarged = writer.inner(node, "enlarged", shape, x.dtype, x.quant)
    emit_resize(writer, node, "RESIZE_BILINEAR", attrs.resize, enlarged)
    emit_argmax(writer, node, enlarged)
