"""MATMUL."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.tflite.writer import Writer
from tinyflow.ir import Node


def write_matmul(writer: Writer, node: Node) -> None:
    attrs: Any = node.attrs
    writer.emit(
        "BATCH_MATMUL",
        writer.operands(node),
        [writer.result(node)],
        "BatchMatMulOptions",
        adjX=attrs.transpose_a,
        adjY=attrs.transpose_b,
    )
