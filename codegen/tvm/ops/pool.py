"""MAX_POOL and AVERAGE_POOL: of the pixels of each window that lie inside the image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tvm import tirx

from tinyflow.codegen.tvm.arithmetic import clamp, const32, narrow
from tinyflow.codegen.tvm.builder import Builder, Expr
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.codegen.tvm.rows import overlap_by_rows, window_rows
from tinyflow.codegen.tvm.taps import valid_taps
from tinyflow.codegen.tvm.window import Geometry
from tinyflow.ir import Graph, Node, Op


def _largest(build: Builder, value: Expr, count: Expr) -> Expr:
    return value


def _mean(build: Builder, total: Expr, count: Expr) -> Expr:
    """Rounded to nearest, ties away from zero."""
    half = tirx.truncdiv(count, const32(2))
    # Selects between numbers, not between divisions.
    shifted = build.let("nudged", total + tirx.Select(total > 0, half, -half))
    return tirx.truncdiv(shifted, count)


@dataclass(frozen=True)
class _Kind:
    """How a window becomes a code: what it starts with, what each code does, what is left."""

    name: str
    start: int
    add: Callable[[Expr, Expr], Expr]
    finish: Callable[[Builder, Expr, Expr], Expr]


_KINDS = {
    Op.AVERAGE_POOL: _Kind("sum", 0, lambda total, code: total + code, _mean),
    Op.MAX_POOL: _Kind("largest", -128, tirx.max, _largest),
}


def lower(graph: Graph, node: Node) -> Kernel:
    attrs: Any = node.attrs
    form: Any = node.integer
    kind = _KINDS[node.op]
    shape = Geometry.of(graph, node, attrs.kernel)
    (kernel_h, kernel_w), (stride_h, stride_w) = shape.kernel, shape.strides
    build = Builder(graph, node)
    with build:
        x, out = build.operand(0), build.result()
        with build.loop("y", shape.out_height) as y:
            top = y * stride_h - shape.top
            rows = valid_taps(build, "ky", top, shape.height, kernel_h, shape.is_inside)
            with build.loop("column", shape.out_width) as column:
                left = column * stride_w - shape.left
                columns = valid_taps(build, "kx", left, shape.width, kernel_w, shape.is_inside)
                count = (rows[1] - rows[0]) * (columns[1] - columns[0])
                if not shape.is_inside and node.op is Op.AVERAGE_POOL:
                    count = build.let("count", count)
                with build.loop("c", shape.channels) as c:
                    value = build.registers(kind.name, 1)
                    build.store(value, kind.start, 0)
                    with build.loop("ky", *rows) as ky, build.loop("kx", *columns) as kx:
                        code = narrow(x[0, top + ky, left + kx, c])
                        build.store(value, kind.add(value[0], code), 0)
                    code = build.let("code", kind.finish(build, value[0], count))
                    build.store(out, narrow(clamp(code, form.lo, form.hi), "int8"), 0, y, column, c)
    return build.kernel(overlap_by_rows(graph, node, window_rows(graph, node, kernel_h)))
