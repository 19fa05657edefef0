"""ARGMAX of the channels, the first of equal ones; with it the enlarging of the image of which it
labels the pixels."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.tvm.arithmetic import narrow
from tinyflow.codegen.tvm.bilinear import Places
from tinyflow.codegen.tvm.builder import Builder, Expr
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.codegen.tvm.shapes import as_pixels
from tinyflow.ir import Graph, Node

_INT32_MIN = -(1 << 31)


def lower(graph: Graph, node: Node) -> Kernel:
    form: Any = node.integer
    return _plain(graph, node) if form.resize is None else _enlarged(graph, node)


def _plain(graph: Graph, node: Node) -> Kernel:
    operand, result = graph.operands(node)[0], graph.result(node)
    pixels, channels = as_pixels(operand.shape)
    build = Builder(graph, node)
    with build:
        x, out = build.operand(0, (pixels, channels)), build.result((pixels,))
        with build.loop("p", pixels) as p:
            best = _Best(build)
            with build.loop("c", channels) as c:
                best.meet(c, build.let("value", narrow(x[p, c])))
            build.store(out, narrow(best.place, result.dtype.value), p)
    return build.kernel()


def _enlarged(graph: Graph, node: Node) -> Kernel:
    """A row of the source is mixed of two once, the pixels between two of its columns then."""
    form: Any = node.integer
    _, in_height, in_width, channels = graph.operands(node)[0].shape
    result = graph.result(node)
    _, height, width, _ = result.shape
    build = Builder(graph, node)
    with build:
        source = build.operand(0, (in_height, in_width, channels))
        out = build.result((height, width))
        places = Places(build, form.resize)
        mixed = build.workspace("mixed", (in_width, channels), "int32")
        with build.loop("y", height) as y:
            row = places.row(y)
            with build.loop("i", in_width) as i, build.loop("c", channels) as c:
                two = (narrow(source[row.low, i, c]), narrow(source[row.high, i, c]))
                build.store(mixed, row.mix(*two), i, c)
            with build.loop("x", width) as x:
                column = places.column(x)
                best = _Best(build)
                with build.loop("c", channels) as c:
                    value = column.mix(mixed[column.low, c], mixed[column.high, c])
                    best.meet(c, build.let("value", value))
                build.store(out, narrow(best.place, result.dtype.value), y, x)
    return build.kernel()


class _Best:
    """The largest value that was met, and the place of the first of its kind."""

    def __init__(self, build: Builder) -> None:
        self._build = build
        self._largest = build.registers("largest", 1)
        self._place = build.registers("best", 1)
        build.store(self._largest, _INT32_MIN, 0)
        build.store(self._place, 0, 0)

    @property
    def place(self) -> Expr:
        return self._place[0]

    def meet(self, place: Expr, value: Expr) -> None:
        with self._build.when(value > self._largest[0]):
            self._build.store(self._largest, value, 0)
            self._build.store(self._place, place, 0)
