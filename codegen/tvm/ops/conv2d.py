"""CONV_2D, grouped and dilated, in blocks of four output channels by two pixels."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from tinyflow.codegen.tvm.blocks import CHANNELS, PIXELS, Block, block_loop
from tinyflow.codegen.tvm.builder import Buffer, Builder, Expr
from tinyflow.codegen.tvm.epilogue import Epilogue
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.codegen.tvm.ops import fully_connected
from tinyflow.codegen.tvm.rows import overlap_by_rows, window_rows
from tinyflow.codegen.tvm.window import Geometry, Window
from tinyflow.ir import Graph, Node
from tinyflow.ir.ops.spatial import NO_PADDING

SHORT_RUN = 4
"""Products that are written out one by one: a loop would take as long as they do."""


def lower(graph: Graph, node: Node) -> Kernel:
    if _is_pointwise(graph, node):
        return fully_connected.lower(graph, node)
    source, weight = graph.operands(node)[:2]
    out_c, kernel_h, kernel_w, depth = weight.shape
    shape = Geometry.of(graph, node, (kernel_h, kernel_w))
    groups = source.shape[3] // depth
    group_c = out_c // groups
    channels, pixels = min(CHANNELS, group_c), min(PIXELS, shape.out_width)
    build = Builder(graph, node)
    with build:
        x, w = build.operand(0), build.operand(1)
        end, out = Epilogue(build, graph, node, padded=True), build.result()
        window = Window(build, x, shape, source.params.zero_point)
        with (
            window.rows() as y,
            block_loop(build, "group", groups, 1) as group,
            block_loop(build, "channel", group_c, channels) as channel,
            block_loop(build, "pixel", shape.out_width, pixels) as pixel,
        ):
            block = Block(build, end, group * group_c + channel, channels, pixels)
            _sum(build, block, window, w, pixel, group * depth, shape)
            block.store(lambda p, c, code: build.store(out, code, 0, y, pixel + p, c))
    rows = window_rows(graph, node, kernel_h)
    return build.kernel(overlap_by_rows(graph, node, rows, read_first=not shape.is_inside))


def _is_pointwise(graph: Graph, node: Node) -> bool:
    """Whether pixels are rows that a matrix multiplies, as in a fully connected layer."""
    attrs: Any = node.attrs
    _, kernel_h, kernel_w, _ = graph.operands(node)[1].shape
    plain = attrs.strides == (1, 1) and attrs.padding == NO_PADDING and attrs.groups == 1
    return plain and (kernel_h, kernel_w) == (1, 1)


def _sum(
    build: Builder,
    block: Block,
    window: Window,
    w: Buffer,
    pixel: Expr,
    first: Expr,
    shape: Geometry,
) -> None:
    """``first`` is the group's first channel of the input."""
    (kernel_h, kernel_w), depth = shape.kernel, w.shape[3]
    # Pixels of a row lie side by side, weights do too: one run of products.
    dense = shape.dilations[1] == 1 and int(depth) == shape.channels
    taps, run = (1, kernel_w * depth) if dense else (kernel_w, depth)
    with (
        build.loop("ky", kernel_h) as ky,
        block_loop(build, "kx", taps, 1) as kx,
        _run(build, run) as i,
    ):
        block.add(
            lambda p: window.code(pixel + p, ky, kx, first + i),
            lambda channel: w[channel, ky, kx, i],
        )


def _run(build: Builder, length: int) -> AbstractContextManager[Expr]:
    return build.unrolled("i", length) if length <= SHORT_RUN else build.loop("i", length)
