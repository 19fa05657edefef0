"""RESIZE_BILINEAR: each element mixes four of the source; one rounding at the end."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.tvm.arithmetic import narrow, rounding_shift
from tinyflow.codegen.tvm.bilinear import Places
from tinyflow.codegen.tvm.builder import Builder, Expr
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.ir import Graph, Node, Rounding

_BITS = 20
"""Of the weights of both axes."""


def lower(graph: Graph, node: Node) -> Kernel:
    form: Any = node.integer
    _, in_height, in_width, channels = graph.operands(node)[0].shape
    _, height, width, _ = graph.result(node).shape
    build = Builder(graph, node)
    with build:
        source = build.operand(0, (in_height, in_width, channels))
        out = build.result((height, width, channels))
        places = Places(build, form)
        with build.loop("y", height) as y:
            row = places.row(y)
            with build.loop("x", width) as x:
                column = places.column(x)
                with build.loop("c", channels) as c:
                    upper, lower = (
                        build.let(
                            name,
                            column.mix(
                                narrow(source[at, column.low, c]),
                                narrow(source[at, column.high, c]),
                            ),
                        )
                        for name, at in (("upper", row.low), ("lower", row.high))
                    )
                    total = build.let("total", row.mix(upper, lower))
                    rounded = _rounded(total, build.rounding)
                    build.store(out, narrow(rounded, "int8"), y, x, c)
    return build.kernel()


def _rounded(total: Expr, rounding: Rounding) -> Expr:
    if rounding is Rounding.SINGLE:
        return (total + (1 << (_BITS - 1))) >> _BITS
    return rounding_shift(total, _BITS)
