"""LAYER_NORM over the channels, pixel by pixel; 64-bit work is per pixel."""

from __future__ import annotations

from typing import Any

from tvm import tirx

from tinyflow.codegen.tvm.arithmetic import clamp, narrow, wide
from tinyflow.codegen.tvm.builder import Buffer, Builder, Expr
from tinyflow.codegen.tvm.inverse_root import inverse_root, unsigned, upper_word
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.codegen.tvm.shapes import as_pixels
from tinyflow.ir import Graph, Node
from tinyflow.ir.integer import LayerNormForm

_VARIANCE_BITS = 16
_MEAN_BITS = 23


def lower(graph: Graph, node: Node) -> Kernel:
    form: Any = node.integer
    pixels, channels = as_pixels(graph.result(node).shape)
    build = Builder(graph, node, overwrites=True)
    with build:
        x, out = build.operand(0, (pixels, channels)), build.result((pixels, channels))
        affine = form.gamma is not None and form.beta is not None
        gamma = build.table("gamma", form.gamma) if affine else None
        beta = build.table("beta", form.beta) if affine else None
        with build.loop("p", pixels) as p:
            total, squares = _sums(build, x, p, channels)
            scale, start = _line(build, form, channels, total, squares)
            if not affine:
                start = build.let("first", start + unsigned(form.start % (1 << 32)))
            with build.loop("c", channels) as c:
                # Modulo 2**32, of which the sum is a signed number.
                code = build.let("code", narrow(narrow(x[p, c]), "uint32"))
                value = build.let("value", narrow(scale * code + start))
                if gamma is not None and beta is not None:
                    weighted = narrow((wide(value) * wide(gamma[c])) >> wide(32))
                    value = build.let("weighted", weighted + beta[c])
                build.store(out, narrow(clamp(value >> form.fraction, -128, 127), "int8"), p, c)
    return build.kernel()


def _sums(build: Builder, x: Buffer, p: Expr, channels: int) -> tuple[Expr, Expr]:
    """Of the codes of a pixel, and of their squares."""
    total, squares = build.registers("total", 1), build.registers("squares", 1)
    build.store(total, 0, 0)
    build.store(squares, 0, 0)
    with build.loop("c", channels) as c:
        code = build.let("code", narrow(x[p, c]))
        build.store(total, total[0] + code, 0)
        build.store(squares, squares[0] + code * code, 0)
    return total[0], squares[0]


def _line(
    build: Builder, form: LayerNormForm, channels: int, total: Expr, squares: Expr
) -> tuple[Expr, Expr]:
    """(scale, start) in uint32: a code less the mean, in standard deviations, is
    ``scale * code + start``. Both are 0 where all codes are equal."""
    spread = build.let("spread", wide(channels) * wide(squares) - wide(total) * wide(total))
    scale = build.registers("scale", 1, "uint32")
    start = build.registers("start", 1, "uint32")
    build.store(scale, unsigned(0), 0)
    build.store(start, unsigned(0), 0)
    with build.when(spread > wide(0)):
        leading, half = _normalized(build, (spread << wide(_VARIANCE_BITS)) + wide(form.epsilon))
        factor = upper_word(inverse_root(build, leading), unsigned(form.factor), 30)
        shift = build.let("shift", tirx.min(half + form.shift, 31).astype("uint32"))
        rounding = (unsigned(1) << shift) >> unsigned(1)
        build.store(scale, (factor + rounding) >> shift, 0)
        mean = build.let("mean", (wide(total) * wide(form.reciprocal)) >> wide(form.mean_shift))
        drop = (wide(scale[0]) * mean) >> wide(_MEAN_BITS)
        build.store(start, unsigned(0) - narrow(drop, "uint32"), 0)
    return scale[0], start[0]


def _normalized(build: Builder, value: Expr) -> tuple[Expr, Expr]:
    """(leading, half) with ``value = leading * 4**half`` and ``2**30 <= leading``, a uint32."""
    variance, half = build.registers("variance", 1, "int64"), build.registers("half", 1)
    build.store(variance, value, 0)
    build.store(half, 0, 0)
    with build.repeat(variance[0] >= wide(1 << 32)):
        build.store(variance, variance[0] >> wide(2), 0)
        build.store(half, half[0] + 1, 0)
    with build.repeat(variance[0] < wide(1 << 30)):
        build.store(variance, variance[0] << wide(2), 0)
        build.store(half, half[0] - 1, 0)
    return build.let("leading", narrow(variance[0], "uint32")), half[0]
