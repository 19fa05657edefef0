"""Every function of one code: QUANTIZE, CLAMP and the activations."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.codegen.tvm.arithmetic import look_up
from tinyflow.codegen.tvm.builder import Builder
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.ir import Graph, Node


def lower(graph: Graph, node: Node) -> Kernel:
    form: Any = node.integer
    source, count = graph.operands(node)[0], graph.result(node).elements
    lowest = int(np.iinfo(source.dtype.numpy).min)
    build = Builder(graph, node, overwrites=True)
    with build:
        x, out = build.operand(0, (count,)), build.result((count,))
        table = build.table("table", form.table)
        with build.loop("i", count) as i:
            build.store(out, look_up(table, x[i], lowest), i)
    return build.kernel()
