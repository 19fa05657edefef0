"""The rows of an image under a window, with what lies outside the image, in working memory.

With all taps of every window in place, inner loops have the same bounds everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tvm import tirx

from tinyflow.codegen.tvm.builder import Buffer, Builder, Expr
from tinyflow.ir import Graph, Node


@dataclass(frozen=True)
class Geometry:
    """Of a window that slides over the first operand [1,h,w,c]; its ``padding`` as in the
    attributes of the operation, at the end as much as windows reach."""

    height: int
    width: int
    channels: int
    out_height: int
    out_width: int
    kernel: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    top: int
    left: int

    @classmethod
    def of(cls, graph: Graph, node: Node, kernel: tuple[int, int]) -> Geometry:
        attrs: Any = node.attrs
        _, height, width, channels = graph.operands(node)[0].shape
        _, out_height, out_width, _ = graph.result(node).shape
        (top, _), (left, _) = attrs.padding
        dilations = getattr(attrs, "dilations", (1, 1))
        sizes = (height, width, channels, out_height, out_width)
        return cls(*sizes, kernel, attrs.strides, dilations, top, left)

    @property
    def reach_y(self) -> int:
        """Rows from the first tap of the first window to the last one of the last window."""
        return self._reach(0, self.out_height)

    @property
    def reach_x(self) -> int:
        return self._reach(1, self.out_width)

    @property
    def is_inside(self) -> bool:
        """Whether no window reaches over the border."""
        fits_y = self.top == 0 and self.reach_y <= self.height
        return fits_y and self.left == 0 and self.reach_x <= self.width

    def _reach(self, axis: int, count: int) -> int:
        taps = (self.kernel[axis] - 1) * self.dilations[axis] + 1
        return (count - 1) * self.strides[axis] + taps


class Window:
    """Within `rows`, `code` reads what is under the windows of an output row."""

    def __init__(self, build: Builder, x: Buffer, geometry: Geometry, zero: int) -> None:
        self._build = build
        self._x = x
        self._geometry = geometry
        self._outside = tirx.const(zero, "int8")
        self._rows: Buffer | None = None
        self._y: Expr = 0
        self._width = max(geometry.reach_x, geometry.left + geometry.width)
        if not geometry.is_inside:
            shape = (geometry.kernel[0], self._width, geometry.channels)
            self._rows = build.workspace("window", shape, "int8")

    @contextmanager
    def rows(self) -> Iterator[Expr]:
        """A loop over the rows of the result, with what is under their windows."""
        # Once, before the first row: what is left and right of the image stays.
        self._clear()
        with self._build.loop("y", self._geometry.out_height) as y:
            self._fill(y)
            yield y

    def _clear(self) -> None:
        if self._rows is None:
            return
        build, shape = self._build, self._geometry
        with (
            build.loop("ky", shape.kernel[0]) as ky,
            build.loop("i", self._width * shape.channels) as i,
        ):
            build.store(self._rows, self._outside, ky, 0, i)

    def _fill(self, y: Expr) -> None:
        """With the rows under the windows of output row ``y``."""
        self._y = y
        if self._rows is None:
            return
        build, rows, shape = self._build, self._rows, self._geometry
        with build.loop("ky", shape.kernel[0]) as ky:
            source = build.let("source", y * shape.strides[0] + ky * shape.dilations[0] - shape.top)

            def copy() -> None:
                with build.loop("i", shape.width * shape.channels) as i:
                    build.store(rows, self._x[0, source, 0, i], ky, shape.left, i)

            def clear() -> None:
                with build.loop("i", shape.width * shape.channels) as i:
                    build.store(rows, self._outside, ky, shape.left, i)

            if shape.top == 0 and shape.reach_y <= shape.height:
                copy()
            else:
                build.either(tirx.all(source >= 0, source < shape.height), copy, clear)

    def code(self, x: Expr, ky: Expr, kx: Expr, channel: Expr) -> Expr:
        """The code under tap (ky, kx) of the window of output pixel ``x``."""
        shape = self._geometry
        column = x * shape.strides[1] + kx * shape.dilations[1]
        if self._rows is not None:
            return self._rows[ky, column, channel]
        return self._x[0, self._y * shape.strides[0] + ky * shape.dilations[0], column, channel]
