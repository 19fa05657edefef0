"""DEPTHWISE_CONV_2D: channel by channel along a row, two pixels at a time, whose windows have codes
in common. Small kernels are written out, so that their weights can stay in registers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tvm import tirx

from tinyflow.codegen.tvm.blocks import PIXELS, Block, block_loop
from tinyflow.codegen.tvm.builder import Builder, Expr
from tinyflow.codegen.tvm.epilogue import Epilogue
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.codegen.tvm.rows import overlap_by_rows, window_rows
from tinyflow.codegen.tvm.window import Geometry, Window
from tinyflow.ir import Graph, Node

MOST_TAPS = 9
"""Of a kernel whose products are written out one by one."""


def lower(graph: Graph, node: Node) -> Kernel:
    source, weight = graph.operands(node)[:2]
    _, kernel_h, kernel_w, out_c = weight.shape
    shape = Geometry.of(graph, node, (kernel_h, kernel_w))
    multiplicity = out_c // source.shape[3]
    pixels = min(PIXELS, shape.out_width)
    build = Builder(graph, node)
    with build:
        x, w = build.operand(0), build.operand(1)
        end, out = Epilogue(build, graph, node, padded=True), build.result()
        window = Window(build, x, shape, source.params.zero_point)
        window.clear()
        with build.loop("y", shape.out_height) as y:
            window.fill(y)
            with (
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


@contextmanager
def _taps(build: Builder, height: int, width: int) -> Iterator[tuple[Expr, Expr]]:
    loop = build.unrolled if height * width <= MOST_TAPS else build.loop
    with loop("ky", height) as ky, loop("kx", width) as kx:
        yield ky, kx
