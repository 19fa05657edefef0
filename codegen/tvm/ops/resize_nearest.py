"""RESIZE_NEAREST: source rows and columns stand in tables, for any ratio of sizes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.codegen.tvm.arithmetic import narrow
from tinyflow.codegen.tvm.builder import Builder
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.ir import Graph, Node
from tinyflow.ir.ops.resize_nearest import source_indices


def lower(graph: Graph, node: Node) -> Kernel:
    attrs: Any = node.attrs
    _, in_height, in_width, channels = graph.operands(node)[0].shape
    _, height, width, _ = graph.result(node).shape
    rows = source_indices(attrs, in_height, height).astype(np.int16)
    columns = source_indices(attrs, in_width, width).astype(np.int16)
    build = Builder(graph, node)
    with build:
        x = build.operand(0, (in_height, in_width, channels))
        out = build.result((height, width, channels))
        row_of, column_of = build.table("rows", rows), build.table("columns", columns)
        with build.loop("y", height) as y:
            row = build.let("row", narrow(row_of[y]))
            with build.loop("x", width) as at:
                column = build.let("column", narrow(column_of[at]))
                with build.loop("c", channels) as c:
                    build.store(out, x[row, column, c], y, at, c)
    return build.kernel()
