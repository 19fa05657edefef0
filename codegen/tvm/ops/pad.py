"""PAD: the border's code everywhere, then the operand in its place."""

from __future__ import annotations

from typing import Any

from tvm import tirx

from tinyflow.codegen.tvm.builder import Builder
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.codegen.tvm.moves import nest
from tinyflow.ir import Graph, Node


def lower(graph: Graph, node: Node) -> Kernel:
    attrs: Any = node.attrs
    form: Any = node.integer
    operand, result = graph.operands(node)[0], graph.result(node)
    build = Builder(graph, node)
    with build:
        x, out = build.operand(), build.result()
        with nest(build, result.shape) as indices:
            build.store(out, tirx.const(form.value, result.dtype.value), *indices)
        with nest(build, operand.shape) as indices:
            place = [before + i for i, (before, _) in zip(indices, attrs.pads, strict=True)]
            build.store(out, x[tuple(indices)], *place)
    return build.kernel()
