"""SOFTMAX over the channels, pixel by pixel: the powers of a pixel are kept until their sum is
known."""

from __future__ import annotations

from typing import Any

from tvm import tirx

from tinyflow.codegen.tvm.arithmetic import (
    clamp,
    high_product,
    narrow,
    requantize_by,
    rounding_shift,
    wide,
)
from tinyflow.codegen.tvm.builder import Buffer, Builder, Expr
from tinyflow.codegen.tvm.exponential import exponential
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.codegen.tvm.shapes import as_pixels
from tinyflow.ir import DType, Graph, Node

_SUM_BITS = 12
"""Integer bits of the sum of the powers, which have none."""
_48_OVER_17 = 1515870810
"""In Q2.29."""
_MINUS_32_OVER_17 = -1010580540


def lower(graph: Graph, node: Node) -> Kernel:
    result = graph.result(node)
    pixels, channels = as_pixels(result.shape)
    build = Builder(graph, node, overwrites=result.dtype is DType.INT8)
    with build:
        x = build.operand(0, (pixels, channels))
        out = build.result((pixels, channels))
        powers = build.workspace("powers", (channels,), "int32")
        with build.loop("p", pixels) as p:
            total = _powers(build, graph, node, x, powers, p, channels)
            reciprocal, shift = _reciprocal(build, total, 8 * result.dtype.itemsize)
            with build.loop("c", channels) as c:
                share = build.let("share", high_product(reciprocal, powers[c]))
                # Not negative, so that ties away from zero are ties upward.
                steps = (share >> shift) + ((share >> (shift - 1)) & 1)
                build.store(out, _code(steps, result.dtype), p, c)
    return build.kernel()


def _powers(
    build: Builder, graph: Graph, node: Node, x: Buffer, powers: Buffer, p: Expr, channels: int
) -> Expr:
    """Writes ``e**(code - largest code)`` in Q0.31 for each channel; their sum in Q12.19."""
    form: Any = node.integer
    largest = build.registers("largest", 1)
    build.store(largest, -128, 0)
    with build.loop("c", channels) as c:
        build.store(largest, tirx.max(largest[0], narrow(x[p, c])), 0)
    total = build.registers("total", 1)
    build.store(total, 0, 0)
    with build.loop("c", channels) as c:
        power = build.registers("power", 1)
        build.store(power, 0, 0)
        distance = build.let("distance", narrow(x[p, c]) - largest[0])
        with build.when(distance >= form.diff_min):
            scaled = requantize_by(distance, form.input)
            exponential(build, power, build.let("scaled", scaled))
        build.store(powers, power[0], c)
        build.store(total, total[0] + rounding_shift(power[0], _SUM_BITS), 0)
    return total[0]


def _reciprocal(build: Builder, total: Expr, bits: int) -> tuple[Expr, Expr]:
    """One over the sum in Q0.31, and by how much products with it go right to be codes of so many
    bits."""
    fraction, shift = build.registers("fraction", 1, "uint32"), build.registers("shift", 1)
    build.store(fraction, narrow(total, "uint32"), 0)
    build.store(shift, _SUM_BITS + 31 - bits, 0)
    with build.repeat(fraction[0] < tirx.const(1 << 31, "uint32")):
        build.store(fraction, fraction[0] << tirx.const(1, "uint32"), 0)
        build.store(shift, shift[0] - 1, 0)
    # (1 + fraction) / 2 in Q0.31
    half = build.let("half", narrow(fraction[0] >> tirx.const(1, "uint32")))
    inverse = build.registers("inverse", 1)
    build.store(inverse, _48_OVER_17 + high_product(half, _MINUS_32_OVER_17), 0)
    with build.loop("step", 3):
        error = build.let("error", (1 << 29) - high_product(half, inverse[0]))
        build.store(inverse, inverse[0] + high_product(inverse[0], error) * 4, 0)
    doubled = tirx.min(wide(inverse[0]) * wide(2), wide((1 << 31) - 1))
    # Of a sum so large that nothing is left of any share, the reciprocal counts as 0.
    kept = tirx.Select(shift[0] < 32, narrow(doubled), 0)
    return build.let("reciprocal", kept), build.let("right", tirx.min(shift[0], 31))


def _code(steps: Expr, dtype: DType) -> Expr:
    lowest = -128 if dtype is DType.INT8 else -32768
    return narrow(clamp(steps, 0, -2 * lowest - 1) + lowest, dtype.value)
