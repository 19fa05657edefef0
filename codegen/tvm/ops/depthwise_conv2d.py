"""DEPTHWISE_CONV_2D: channel by channel along a row. The weights of small kernels stay in
registers while their channel goes through the row."""

from __future__ import annotations

from tvm import tirx

from tinyflow.codegen.tvm.builder import Builder
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
    build = Builder(graph, node)
    with build:
        x, w = build.operand(0), build.operand(1)
        end, out = Epilogue(build, graph, node, padded=True), build.result()
        window = Window(build, x, shape, source.params.zero_point)
        window.clear()
        with build.loop("y", shape.out_height) as y:
            window.fill(y)
            with build.loop("c", out_c) as c:
                source_c = tirx.truncdiv(c, multiplicity)
                start = build.let("start", end.start(c))
                taps = [(ky, kx) for ky in range(kernel_h) for kx in range(kernel_w)]
                weights = {}
                if len(taps) <= MOST_TAPS:
                    weights = {
                        (ky, kx): build.let(f"w{ky}{kx}", end.centred_weight(w[0, ky, kx, c]))
                        for ky, kx in taps
                    }
                with build.loop("column", shape.out_width) as pixel:
                    total = build.registers("sum", 1)
                    build.store(total, start, 0)
                    for (ky, kx), factor in weights.items():
                        code = end.centred(window.code(pixel, ky, kx, source_c))
                        build.store(total, total[0] + code * factor, 0)
                    if not weights:
                        with build.loop("ky", kernel_h) as ky, build.loop("kx", kernel_w) as kx:
                            code = window.code(pixel, ky, kx, source_c)
                            product = end.product(code, w[0, ky, kx, c])
                            build.store(total, total[0] + product, 0)
                    build.store(out, end.code(total[0], c), 0, y, pixel, c)
    rows = window_rows(graph, node, kernel_h)
    return build.kernel(overlap_by_rows(graph, node, rows, read_first=not shape.is_inside))
