"""ADD, SUB and MUL, with operands that are repeated along some axes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from tinyflow.codegen.tvm.arithmetic import narrow, requantize_by, saturate
from tinyflow.codegen.tvm.builder import Builder, Expr
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.ir import Graph, Node, Op, Shape


def _sum(sign: int) -> Callable[[Builder, Any, Expr, Expr], Expr]:
    """Both on a common scale, some bits up."""

    def combine(build: Builder, form: Any, a: Expr, b: Expr) -> Expr:
        scaled = [
            build.let(name, requantize_by(build, code * (1 << form.left_shift), factor, rounding))
            for name, code, factor in (("first", a, form.input_1), ("second", b, form.input_2))
            for rounding in (build.rounding,)
        ]
        return scaled[0] + sign * scaled[1]

    return combine


def _product(build: Builder, form: Any, a: Expr, b: Expr) -> Expr:
    return a * b


_COMBINE = {Op.ADD: _sum(1), Op.MUL: _product, Op.SUB: _sum(-1)}


def lower(graph: Graph, node: Node) -> Kernel:
    form: Any = node.integer
    operands, result = graph.operands(node), graph.result(node)
    axes, views = _merged(result.shape, [operand.shape for operand in operands])
    build = Builder(graph, node, overwrites=True)
    with build:
        buffers = [build.operand(i, view) for i, view in enumerate(views)]
        out = build.result(axes)
        with ExitStack() as loops:
            at = [loops.enter_context(build.loop(f"i{axis}", n)) for axis, n in enumerate(axes)]
            a, b = (
                build.let(name, narrow(buffer[_place(view, axes, at)]) - operand.params.zero_point)
                for name, buffer, view, operand in zip(
                    ("a_value", "b_value"), buffers, views, operands, strict=True
                )
            )
            total = build.let("total", _COMBINE[node.op](build, form, a, b))
            code = build.let("code", requantize_by(build, total, form.output, build.rounding))
            code = saturate(code, result.params.zero_point, form.lo, form.hi)
            build.store(out, code, *at)
    return build.kernel()


def _place(view: Shape, axes: Shape, at: list[Expr]) -> tuple[Expr, ...]:
    return tuple(
        0 if own == 1 and size > 1 else index
        for own, size, index in zip(view, axes, at, strict=True)
    )


def _merged(shape: Shape, operands: list[Shape]) -> tuple[Shape, list[Shape]]:
    """The result's axes and each operand's under them: neighbours along which the same operands
    are repeated become one."""
    views = [(1,) * (len(shape) - len(own)) + own for own in operands]
    axes: list[int] = []
    merged: list[list[int]] = [[] for _ in views]
    kinds: list[tuple[bool, ...]] = []
    for axis, size in enumerate(shape):
        if size == 1:
            continue
        kind = tuple(view[axis] == size for view in views)
        if kinds and kinds[-1] == kind:
            axes[-1] *= size
            for own, view in zip(merged, views, strict=True):
                own[-1] *= view[axis]
        else:
            kinds.append(kind)
            axes.append(size)
            for own, view in zip(merged, views, strict=True):
                own.append(view[axis])
    return tuple(axes) or (1,), [tuple(own) or (1,) for own in merged]
