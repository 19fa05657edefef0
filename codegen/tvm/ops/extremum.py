"""MAXIMUM and MINIMUM, with operands that are repeated along some axes."""

from __future__ import annotations

from tvm import tirx

from tinyflow.codegen.tvm.arithmetic import narrow
from tinyflow.codegen.tvm.broadcast import merged, place
from tinyflow.codegen.tvm.builder import Builder
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.codegen.tvm.moves import nest
from tinyflow.ir import Graph, Node, Op

_CHOOSE = {Op.MAXIMUM: tirx.max, Op.MINIMUM: tirx.min}


def lower(graph: Graph, node: Node) -> Kernel:
    operands, result = graph.operands(node), graph.result(node)
    axes, views = merged(result.shape, [operand.shape for operand in operands])
    build = Builder(graph, node, overwrites=True)
    with build:
        buffers = [build.operand(i, view) for i, view in enumerate(views)]
        out = build.result(axes)
        with nest(build, axes) as at:
            a, b = (
                build.let(name, narrow(buffer[place(view, axes, at)]))
                for name, buffer, view in zip(("a_code", "b_code"), buffers, views, strict=True)
            )
            build.store(out, _CHOOSE[node.op](a, b), *at)
    return build.kernel()
