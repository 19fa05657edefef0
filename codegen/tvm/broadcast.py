"""Operands that are repeated along some axes of the result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from tinyflow.codegen.tvm.arithmetic import narrow
from tinyflow.codegen.tvm.builder import Builder, Expr
from tinyflow.codegen.tvm.moves import nest
from tinyflow.ir import Graph, Node, Shape


@contextmanager
def elements(
    build: Builder, graph: Graph, node: Node, names: Sequence[str], centred: bool = True
) -> Iterator[tuple[list[Expr], Callable[[Expr], None]]]:
    """Loops over the result: the operands' codes for an element in int32, called ``names``, and
    what stores the element's code. ``centred`` codes are counted from their zero points."""
    operands, result = graph.operands(node), graph.result(node)
    axes, views = merged(result.shape, [operand.shape for operand in operands])
    buffers = [build.operand(i, view) for i, view in enumerate(views)]
    out = build.result(axes)
    with nest(build, axes) as at:
        codes = [
            narrow(buffer[place(view, axes, at)])
            for buffer, view in zip(buffers, views, strict=True)
        ]
        if centred:
            codes = [
                code - operand.params.zero_point
                for code, operand in zip(codes, operands, strict=True)
            ]
        named = [build.let(name, code) for name, code in zip(names, codes, strict=True)]
        yield named, lambda code: build.store(out, code, *at)


def place(view: Shape, axes: Shape, at: Sequence[Expr]) -> tuple[Expr, ...]:
    """The indices of the element of an operand that goes into the result's element ``at``."""
    return tuple(
        0 if own == 1 and size > 1 else index
        for own, size, index in zip(view, axes, at, strict=True)
    )


def merged(shape: Shape, operands: Sequence[Shape]) -> tuple[Shape, list[Shape]]:
    """The result's axes and each operand's under them: neighbours along which the same operands
    are repeated become one."""
    views = [(1,) * (len(shape) - len(own)) + own for own in operands]
    axes: list[int] = []
    found: list[list[int]] = [[] for _ in views]
    kinds: list[tuple[bool, ...]] = []
    for axis, size in enumerate(shape):
        if size == 1:
            continue
        kind = tuple(view[axis] == size for view in views)
        if kinds and kinds[-1] == kind:
            axes[-1] *= size
            for own, view in zip(found, views, strict=True):
                own[-1] *= view[axis]
        else:
            kinds.append(kind)
            axes.append(size)
            for own, view in zip(found, views, strict=True):
                own.append(view[axis])
    return tuple(axes) or (1,), [tuple(own) or (1,) for own in found]
