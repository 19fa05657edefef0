"""MAXIMUM and MINIMUM, with operands that are repeated along some axes."""

from __future__ import annotations

from tvm import tirx

from tinyflow.codegen.tvm.broadcast import elements
from tinyflow.codegen.tvm.builder import Builder
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.ir import Graph, Node, Op

_CHOOSE = {Op.MAXIMUM: tirx.max, Op.MINIMUM: tirx.min}


def lower(graph: Graph, node: Node) -> Kernel:
    build = Builder(graph, node, overwrites=True)
    with build, elements(build, graph, node, ("a_code", "b_code"), centred=False) as (codes, store):
        store(_CHOOSE[node.op](*codes))
    return build.kernel()
