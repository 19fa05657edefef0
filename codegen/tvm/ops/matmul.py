"""MATMUL: a few columns of the product at a time, so that the codes of a line are read less
often."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from tinyflow.codegen.tvm.arithmetic import narrow, requantize_by, saturate
from tinyflow.codegen.tvm.builder import Buffer, Builder, Expr
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.codegen.tvm.tiles import product_sums, tiles
from tinyflow.ir import Graph, Node, Shape

_TILE = 4
"""Columns whose sums are kept in registers at a time."""


def lower(graph: Graph, node: Node) -> Kernel:
    form: Any = node.integer
    attrs: Any = node.attrs
    a, b = graph.operands(node)
    result = graph.result(node)
    stack, lines, columns = _stacked(result.shape)
    depth = a.shape[-2] if attrs.transpose_a else a.shape[-1]
    build = Builder(graph, node)
    with build:
        left = _matrix(build.operand(0, _stacked(a.shape)), attrs.transpose_a)
        right = _matrix(build.operand(1, _stacked(b.shape)), attrs.transpose_b)
        out = build.result((stack, lines, columns))
        with build.loop("s", stack) as s, build.loop("m", lines) as m:
            for step, width in tiles(build, "p", columns, _TILE):
                with step as first:
                    sums = product_sums(
                        build,
                        width,
                        0,
                        ("k", depth),
                        lambda k: narrow(left(s, m, k)) - a.params.zero_point,
                        lambda k, n: narrow(right(s, k, first + n)) - b.params.zero_point,
                    )
                    for n in range(width):
                        code = build.let("code", requantize_by(sums[n], form.output))
                        zero = result.params.zero_point
                        code = saturate(code, zero, form.lo, form.hi)
                        build.store(out, code, s, m, first + n)
    return build.kernel()


def _stacked(shape: Shape) -> tuple[int, int, int]:
    """Matrices under one another."""
    return prod(shape[:-2]), shape[-2], shape[-1]


def _matrix(buffer: Buffer, transposed: bool) -> Callable[[Expr, Expr, Expr], Expr]:
    """``element(s, row, column)`` as the product takes the matrix."""

    def element(s: Expr, row: Expr, column: Expr) -> Expr:
        return buffer[s, column, row] if transposed else buffer[s, row, column]

    return element
