"""DEPTHWISE_CONV_2D: channel by channel along a row, a few pixels at a time, whose windows have
codes in common: a row of the kernel is written out, so that the compiler reads them once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tvm import tirx

from tinyflow.codegen.tvm.blocks import Block, block_loop
from tinyflow.codegen.tvm.builder import Builder, Expr
from tinyflow.codegen.tvm.epilogue import Epilogue
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.codegen.tvm.rows import overlap_by_rows, window_rows
from tinyflow.codegen.tvm.window import Geometry, Window
from tinyflow.ir import Graph, Node

MOST_COLUMNS = 4
"""Of a kernel whose rows are written out product by product."""
MOST_PIXELS = 5
"""With one sum each: what the registers of a Cortex-M hold beside a weight, a code and pointers."""


def lower(graph: Graph, node: Node) -> Kernel:
    source, weight = graph.operands(node)[:2]
    _, kernel_h, kernel_w, out_c = weight.shape
    shape = Geometry.of(graph, node, (kernel_h, kernel_w))
    multiplicity = out_c // source.shape[3]
    pixels = _pixels(shape.out_width)
    build = Builder(graph, node)
    with build:
        x, w = build.operand(0), build.operand(1)
        end, out = Epilogue(build, graph, node, padded=True), build.result()
        window = Window(build, x, shape, source.params.zero_point)
        with (
            window.rows() as y,
            build.loop("c", out_c) as c,
            block_loop(build, "pixel", shape.out_width, pixels) as pixel,
        ):
            source_c = tirx.truncdiv(c, multiplicity)
            block = Block(build, end, c, 1, pixels)
            with _taps(build, kernel_h, kernel_w) as (ky, kx):
                block.add(
                    lambda p: window.code(pixel + p, ky, kx, source_c),
                    lambda channel: w[0, ky, kx, channel],
                )
            block.store(lambda p, c, code: build.store(out, code, 0, y, pixel + p, c))
    rows = window_rows(graph, node, kernel_h)
    return build.kernel(overlap_by_rows(graph, node, rows, read_first=not shape.is_inside))


def _pixels(width: int) -> int:
    """The size of the blocks that compute the fewest pixels twice; the larger one of two."""
    sizes = range(1, min(MOST_PIXELS, width) + 1)
    return min(reversed(sizes), key=lambda size: -(-width // size) * size)


@contextmanager
def _taps(build: Builder, height: int, width: int) -> Iterator[tuple[Expr, Expr]]:
    columns = build.unrolled if width <= MOST_COLUMNS else build.loop
    with build.loop("ky", height) as ky, columns("kx", width) as kx:
        yield ky, kx
