"""FULLY_CONNECTED, and what else multiplies rows by a matrix, in blocks of four output channels by
two rows."""

from __future__ import annotations

from math import prod

from tinyflow.codegen.schedule import Overlap, rising_distance
from tinyflow.codegen.tvm.blocks import CHANNELS, PIXELS, Block, block_loop
from tinyflow.codegen.tvm.builder import Builder
from tinyflow.codegen.tvm.epilogue import Epilogue
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.ir import Graph, Node


def lower(graph: Graph, node: Node) -> Kernel:
    source, weight = graph.operands(node)[:2]
    out_c, depth = weight.shape[0], weight.shape[-1]
    rows = prod(source.shape[:-1])
    channels, pixels = min(CHANNELS, out_c), min(PIXELS, rows)
    build = Builder(graph, node)
    with build:
        x, w = build.operand(0, (rows, depth)), build.operand(1, (out_c, depth))
        end, out = Epilogue(build, graph, node, padded=True), build.result((rows, out_c))
        with (
            block_loop(build, "row", rows, pixels) as row,
            block_loop(build, "channel", out_c, channels) as channel,
        ):
            block = Block(build, end, channel, channels, pixels)
            with build.loop("i", depth) as i:
                block.add(lambda p: x[row + p, i], lambda channel: w[channel, i])
            block.store(lambda p, c, code: build.store(out, code, row + p, c))
    begins = [min(row, rows - pixels) for row in range(0, rows, pixels)]
    spans = [(begin, begin + pixels) for begin in begins]
    return build.kernel(
        Overlap(
            rising_distance(
                [(begin * depth, end * depth) for begin, end in spans],
                [(begin * out_c, end * out_c) for begin, end in spans],
                rows * depth,
            )
        )
    )
