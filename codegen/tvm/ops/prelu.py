"""PRELU: elements below zero times a slope, which may be repeated along some axes."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.tvm.arithmetic import requantize_by, saturate
from tinyflow.codegen.tvm.broadcast import elements
from tinyflow.codegen.tvm.builder import Builder
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.ir import Graph, Node


def lower(graph: Graph, node: Node) -> Kernel:
    form: Any = node.integer
    build = Builder(graph, node, overwrites=True)
    with build, elements(build, graph, node, ("value", "slope")) as ((value, slope), store):
        code = build.registers("code", 1)
        build.store(code, requantize_by(value, form.above), 0)
        with build.when(value < 0):
            product = build.let("product", value * slope)
            build.store(code, requantize_by(product, form.below), 0)
        store(saturate(code[0], graph.result(node).params.zero_point))
    return build.kernel()
