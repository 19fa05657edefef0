"""L2_NORM over the channels, pixel by pixel: TFLite Micro's inverse square root."""

from __future__ import annotations

from tvm import tirx

from tinyflow.codegen.tvm.arithmetic import high_product, narrow, requantize, saturate, wide, word
from tinyflow.codegen.tvm.builder import Builder, Expr
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.codegen.tvm.shapes import as_pixels
from tinyflow.ir import Graph, Node

_CODE_BITS = 7
"""The result's scale is 1/128."""
_HALF_ROOT_OF_TWO = 1518500250
"""In Q0.31."""
_INT32_MAX = (1 << 31) - 1


def lower(graph: Graph, node: Node) -> Kernel:
    operand = graph.operands(node)[0]
    pixels, channels = as_pixels(operand.shape)
    zero = operand.params.zero_point
    build = Builder(graph, node, overwrites=True)
    with build:
        x, out = build.operand(0, (pixels, channels)), build.result((pixels, channels))
        with build.loop("p", pixels) as p:
            squares = build.registers("squares", 1)
            build.store(squares, 0, 0)
            with build.loop("c", channels) as c:
                value = build.let("value", narrow(x[p, c]) - zero)
                build.store(squares, squares[0] + value * value, 0)
            multiplier, shift = _inverse_root(build, squares[0])
            with build.loop("c", channels) as c:
                centred = build.let("centred", narrow(x[p, c]) - zero)
                code = build.let("code", requantize(centred, multiplier, shift))
                build.store(out, saturate(code, 0), p, c)
    return build.kernel()


def _inverse_root(build: Builder, squares: Expr) -> tuple[Expr, Expr]:
    """``2**7 / sqrt(squares)`` as multiplier and shift; 0 counts as 1."""
    multiplier, shift = build.registers("multiplier", 1), build.registers("shift", 1)
    build.store(multiplier, _INT32_MAX, 0)
    build.store(shift, _CODE_BITS, 0)
    with build.when(squares > 1):
        scaled, right = build.registers("scaled", 1), build.registers("right", 1)
        build.store(scaled, squares, 0)
        build.store(right, 11, 0)
        with build.repeat(scaled[0] >= 1 << 29):
            build.store(scaled, scaled[0] >> 2, 0)
            build.store(right, right[0] + 1, 0)
        with build.repeat(scaled[0] < 1 << 27):
            build.store(scaled, scaled[0] << 2, 0)
            build.store(right, right[0] - 1, 0)
        root = build.let("root", _newton(build, scaled[0]))
        build.store(multiplier, root << tirx.max(-right[0], 0), 0)
        build.store(shift, _CODE_BITS - tirx.max(right[0], 0), 0)
    return multiplier[0], shift[0]


def _newton(build: Builder, x: Expr) -> Expr:
    """``sqrt(1 / 2) / sqrt(x / 2**29)`` in Q0.31: five steps from 1 in Q3.28."""
    half = build.let("half", ((x >> 1) + 1) >> 1)
    y = build.registers("y", 1)
    build.store(y, 1 << 28, 0)
    with build.loop("step", 5):
        square = build.let("square", high_product(y[0], y[0]))
        cube = build.let("cube", _times_power_of_two(high_product(square, y[0]), 6))
        rest = high_product(3 << 27, y[0]) - high_product(half, cube)
        build.store(y, _times_power_of_two(rest, 3), 0)
    return high_product(y[0], _HALF_ROOT_OF_TWO)


def _times_power_of_two(value: Expr, exponent: int) -> Expr:
    """Saturated to int32."""
    return word(wide(value) * wide(1 << exponent))
