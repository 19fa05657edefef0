"""CHANNEL_GATE: the line of each channel first, then every element as a point of its own."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.tvm.arithmetic import clamp, narrow
from tinyflow.codegen.tvm.builder import Builder, Expr
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.codegen.tvm.shapes import as_pixels
from tinyflow.ir import Graph, Node

_FRACTION_BITS = 16
_MORE_BITS = 8
"""Of a slope, compared with a sum."""


def lower(graph: Graph, node: Node) -> Kernel:
    form: Any = node.integer
    pixels, channels = as_pixels(graph.result(node).shape)
    zero_x, zero_gate = (t.params.zero_point for t in graph.operands(node)[:2])
    build = Builder(graph, node, overwrites=True)
    with build:
        x, gate = build.operand(0, (pixels, channels)), build.operand(1, (channels,))
        out = build.result((pixels, channels))
        factor, offset = build.table("factor", form.factor), build.table("offset", form.offset)
        slopes = build.workspace("slopes", (channels,), "int32")
        starts = build.workspace("starts", (channels,), "int32")
        with build.loop("c", channels) as c:
            opened = build.let("opened", narrow(gate[c]) - zero_gate)
            slope = build.let("slope", factor[c] * opened + form.base)
            build.store(slopes, slope, c)
            build.store(starts, offset[c] * opened + form.start - _rise(slope, zero_x), c)
        with build.loop("p", pixels) as p, build.loop("c", channels) as c:
            point = starts[c] + _rise(build.let("slope", slopes[c]), narrow(x[p, c]))
            build.store(out, narrow(clamp(point >> _FRACTION_BITS, -128, 127), "int8"), p, c)
    return build.kernel()


def _rise(slope: Expr, code: Expr) -> Expr:
    """``slope * code / 2**8``, rounded down, in products of 32 bits."""
    lower = ((slope & ((1 << _MORE_BITS) - 1)) * code) >> _MORE_BITS
    return (slope >> _MORE_BITS) * code + lower
