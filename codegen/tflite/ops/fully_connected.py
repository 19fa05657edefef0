"""FULLY_CONNECTED."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.tflite.clamps import fuse
from tinyflow.codegen.tflite.writer import Writer
from tinyflow.ir import Node


def write_fully_connected(writer: Writer, node: Node) -> None:
    attrs: Any = node.attrs
    clamp = fuse(writer, node, attrs.clamp)
    operands = writer.operands(node)
    # An absent bias is written as such: TFLite Micro wants the operand there.
    missing = [-1] * (3 - len(operands))
    writer.emit(
        "FULLY_CONNECTED",
        [*operands, *missing],
        [clamp.output],
        "FullyConnectedOptions",
        fusedActivationFunction=clamp.activation,
        keepNumDims=len(writer.graph.result(node).shape) != 2,
    )
    clamp.finish(writer, node)
