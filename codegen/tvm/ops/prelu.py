"""PRELU: elements below zero times a slope, which may be repeated along some axes."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.tvm.arithmetic import narrow, requantize_by, saturate
from tinyflow.codegen.tvm.broadcast import merged, place
from tinyflow.codegen.tvm.builder import Builder
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.codegen.tvm.moves import nest
from tinyflow.ir import Graph, Node


def lower(graph: Graph, node: Node) -> Kernel:
    form: Any = node.integer
    operands, result = graph.operands(node), graph.result(node)
    axes, views = merged(result.shape, [operand.shape for operand in operands])
    build = Builder(graph, node, overwrites=True)
    with build:
        x, slopes = (build.operand(i, view) for i, view in enumerate(views))
        out = build.result(axes)
        with nest(build, axes) as at:
            value, slope = (
                build.let(name, narrow(buffer[place(view, axes, at)]) - operand.params.zero_point)
                for name, buffer, view, operand in zip(
                    ("value", "slope"), (x, slopes), views, operands, strict=True
                )
            )
            code = build.registers("code", 1)
            build.store(code, requantize_by(value, form.above), 0)
            with build.when(value < 0):
                product = build.let("product", value * slope)
                build.store(code, requantize_by(product, form.below), 0)
            build.store(out, saturate(code[0], result.params.zero_point), *at)
    return build.kernel()
