"""ADD, SUB and MUL."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.tflite.clamps import fuse
from tinyflow.codegen.tflite.writer import Writer
from tinyflow.ir import Node, Op

_TABLES = {Op.ADD: "AddOptions", Op.MUL: "MulOptions", Op.SUB: "SubOptions"}


def write_binary(writer: Writer, node: Node) -> None:
    attrs: Any = node.attrs
    clamp = fuse(writer, node, attrs.clamp)
    writer.emit(
        node.op.value,
        writer.operands(node),
        [clamp.output],
        _TABLES[node.op],
        fusedActivationFunction=clamp.activation,
    )
    clamp.finish(writer, node)
