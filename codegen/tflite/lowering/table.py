"""Any function of one code: GATHER from its table, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.codegen.tflite.writer import Writer
from tinyflow.ir import DType, Node


def lower_table(writer: Writer, node: Node) -> None:
    """The index is the code as int32, counted from the lowest."""
    form: Any = node.integer
    x, result = writer.graph.operands(node)[0], writer.graph.result(node)
    code = writer.inner(node, "code", x.shape, DType.INT32, None)
    writer.emit("CAST", [writer.index(x.name)], [code], "CastOptions")
    index = writer.inner(node, "index", x.shape, DType.INT32, None)
    offset = writer.constant(node, "offset", [-int(np.iinfo(x.dtype.numpy).min)])
    writer.emit("ADD", [code, offset], [index], "AddOptions")
    table = writer.constant(node, "table", form.table, form.table.dtype.type, result.quant)
    writer.emit("GATHER", [table, index], [writer.result(node)], "GatherOptions", axis=0)
