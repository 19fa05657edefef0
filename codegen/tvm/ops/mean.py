"""MEAN over any axes."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from tinyflow.codegen.tvm.arithmetic import narrow, requantize_by, saturate
from tinyflow.codegen.tvm.builder import Builder
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.ir import Graph, Node


def lower(graph: Graph, node: Node) -> Kernel:
    attrs: Any = node.attrs
    form: Any = node.integer
    source, result = graph.operands(node)[0], graph.result(node)
    axes = [axis % len(source.shape) for axis in attrs.axes]
    kept = tuple(1 if axis in axes else size for axis, size in enumerate(source.shape))
    build = Builder(graph, node)
    with build:
        x, out = build.operand(0), build.result(kept)
        with ExitStack() as outer:
            place = [outer.enter_context(build.loop(f"o{i}", size)) for i, size in enumerate(kept)]
            total = build.registers("sum", 1)
            build.store(total, -form.count * source.params.zero_point, 0)
            with ExitStack() as inner:
                indices = [
                    inner.enter_context(build.loop(f"i{axis}", size)) if axis in axes else at
                    for axis, (size, at) in enumerate(zip(source.shape, place, strict=True))
                ]
                build.store(total, total[0] + narrow(x[tuple(indices)]), 0)
            code = build.let("code", requantize_by(total[0], form.output))
            build.store(out, saturate(code, result.params.zero_point), *place)
    return build.kernel()
