"""ADD, SUB and MUL, with operands that are repeated along some axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyflow.codegen.tvm.arithmetic import requantize_by, saturate
from tinyflow.codegen.tvm.broadcast import elements
from tinyflow.codegen.tvm.builder import Builder, Expr
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.ir import Graph, Node, Op


def _sum(sign: int) -> Callable[[Builder, Any, Expr, Expr], Expr]:
    """Both on a common scale, some bits up."""

    def combine(build: Builder, form: Any, a: Expr, b: Expr) -> Expr:
        scaled = [
            build.let(name, requantize_by(code * (1 << form.left_shift), factor))
            for name, code, factor in (("first", a, form.input_1), ("second", b, form.input_2))
        ]
        return scaled[0] + sign * scaled[1]

    return combine


def _product(build: Builder, form: Any, a: Expr, b: Expr) -> Expr:
    return a * b


_COMBINE = {Op.ADD: _sum(1), Op.MUL: _product, Op.SUB: _sum(-1)}


def lower(graph: Graph, node: Node) -> Kernel:
    form: Any = node.integer
    build = Builder(graph, node, overwrites=True)
    with build, elements(build, graph, node, ("a_value", "b_value")) as ((a, b), store):
        total = build.let("total", _COMBINE[node.op](build, form, a, b))
        code = build.let("code", requantize_by(total, form.output))
        store(saturate(code, graph.result(node).params.zero_point, form.lo, form.hi))
    return build.kernel()
