"""MEAN."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.tflite.writer import Writer
from tinyflow.ir import Node


def write_mean(writer: Writer, node: Node) -> None:
    attrs: Any = node.attrs
    axes = writer.constant(node, "axes", attrs.axes)
    inputs = [*writer.operands(node), axes]
    writer.emit("MEAN", inputs, [writer.result(node)], "ReducerOptions", keepDims=attrs.keep_dims)
