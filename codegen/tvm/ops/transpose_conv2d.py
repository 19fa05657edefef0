"""TRANSPOSE_CONV_2D: each output pixel gathers its taps, in blocks of four output channels."""

from __future__ import annotations

from typing import Any

from tvm import tirx

from tinyflow.codegen.tvm.blocks import CHANNELS, Block, block_loop
from tinyflow.codegen.tvm.builder import Builder, Expr
from tinyflow.codegen.tvm.epilogue import Epilogue
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.codegen.tvm.rows import overlap_by_rows
from tinyflow.ir import Graph, Node


def lower(graph: Graph, node: Node) -> Kernel:
    attrs: Any = node.attrs
    source, weight = graph.operands(node)[:2]
    out_c, kernel_h, kernel_w, depth = weight.shape
    _, in_h, in_w, _ = source.shape
    _, out_h, out_w, _ = graph.result(node).shape
    (top, _), (left, _) = attrs.padding
    step = attrs.strides[0]
    channels = min(CHANNELS, out_c)
    build = Builder(graph, node)
    with build:
        x, w = build.operand(0), build.operand(1)
        end, out = Epilogue(build, graph, node, padded=False), build.result()
        with build.loop("y", out_h) as y:
            rows = _Taps(build, "y", y + top, in_h, kernel_h, step)
            with (
                block_loop(build, "channel", out_c, channels) as channel,
                build.loop("column", out_w) as column,
            ):
                columns = _Taps(build, "x", column + left, in_w, kernel_w, attrs.strides[1])
                block = Block(build, end, channel, channels, 1)
                with (
                    build.loop("iy", rows.begin, rows.end) as iy,
                    build.loop("ix", columns.begin, columns.end) as ix,
                    build.loop("i", depth) as i,
                ):
                    ky, kx = rows.tap(iy), columns.tap(ix)
                    block.add(lambda p: x[0, iy, ix, i], lambda channel: w[channel, ky, kx, i])
                block.store(lambda p, c, code: build.store(out, code, 0, y, column, c))
    places = [y + top for y in range(out_h)]
    reads = [(max(at - kernel_h + step, 0) // step, at // step + 1) for at in places]
    return build.kernel(overlap_by_rows(graph, node, reads))


class _Taps:
    """Input pixels [begin, end) that an output pixel meets, along one axis.

    ``place`` is where it lies in the result before cropping: input pixel i meets it through tap
    ``place - i * stride``.
    """

    def __init__(
        self, build: Builder, axis: str, place: Expr, size: int, kernel: int, stride: int
    ) -> None:
        self._place = place
        self._stride = stride
        before = tirx.truncdiv(tirx.max(place - kernel + stride, 0), stride)
        self.begin = build.let(f"{axis}_begin", before)
        self.end = build.let(f"{axis}_end", tirx.min(tirx.truncdiv(place, stride) + 1, size))

    def tap(self, index: Expr) -> Expr:
        return self._place - index * self._stride
