"""Functions of one code that TFLite Micro computes as we do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyflow.codegen.tflite.writer import Writer
from tinyflow.ir import Node


def plain(name: str, table: str | None = None) -> Callable[[Writer, Node], None]:
    """A handler of an operator without options of its own."""

    def write(writer: Writer, node: Node) -> None:
        writer.emit(name, writer.operands(node), [writer.result(node)], table)

    return write


def write_softmax(writer: Writer, node: Node) -> None:
    attrs: Any = node.attrs
    inputs, outputs = writer.operands(node), [writer.result(node)]
    writer.emit("SOFTMAX", inputs, outputs, "SoftmaxOptions", beta=attrs.beta)


def write_leaky_relu(writer: Writer, node: Node) -> None:
    attrs: Any = node.attrs
    inputs, outputs = writer.operands(node), [writer.result(node)]
    writer.emit("LEAKY_RELU", inputs, outputs, "LeakyReluOptions", alpha=attrs.alpha)
