"""Functions of one element that are written as a FUNCTION: in int8 a table, like any other.

The formulas are those of the ONNX standard, in a form that neither overflows nor cancels.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.elementwise import unary, unary_of
from tinyflow.importers.common.layer import Layer
from tinyflow.ir import Op
from tinyflow.ir.ops.function import Elementary
from tinyflow.ir.ops.function import Value as Step
from tinyflow.ir.ops.function_writer import FunctionWriter, write_function

Formula = Callable[[FunctionWriter, Step], Step]

# Of a SELU, which keeps mean 0 and variance 1 from layer to layer.
SELU_ALPHA = 1.67326319217681884765625
SELU_GAMMA = 1.05070102214813232421875


def function(layer: Layer, builder: Builder, formula: Formula, suffix: str = "") -> Value:
    """``formula`` of every element of the layer's first operand."""
    return function_of(layer, builder, builder.value(layer), formula, suffix)


def function_of(
    layer: Layer, builder: Builder, value: Value, formula: Formula, suffix: str = ""
) -> Value:
    return unary_of(layer, builder, Op.FUNCTION, value, write_function(formula), suffix)


def convert_elementary(
    layer: Layer, builder: Builder, *, elementary: Elementary
) -> tuple[Value, ...]:
    """On any tensor."""
    attrs = write_function(lambda w, x: w.add(elementary, x))
    return (unary(layer, builder, Op.FUNCTION, attrs),)


def convert_softplus(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any beta."""
    beta = layer.number("beta", 1.0)
    return (function(layer, builder, lambda w, x: softplus(w, x, beta)),)


def convert_softsign(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """On any tensor."""
    return (function(layer, builder, softsign),)


def convert_mish(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """On any tensor."""
    return (function(layer, builder, mish),)


def convert_log_sigmoid(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """On any tensor."""
    return (function(layer, builder, log_sigmoid),)


def elu(writer: FunctionWriter, x: Step, alpha: float, gamma: float, width: float) -> Step:
    """``gamma * (max(x, 0) + alpha * (exp(min(x, 0) / width) - 1))``: ELU, SELU and, where alpha
    and width are equal, CELU."""
    below = writer.add(Elementary.MIN, x, 0.0)
    if width != 1.0:
        below = writer.add(Elementary.DIV, below, width)
    bent = writer.add(Elementary.MUL, writer.add(Elementary.EXPM1, below), alpha)
    whole = writer.add(Elementary.ADD, writer.add(Elementary.MAX, x, 0.0), bent)
    return whole if gamma == 1.0 else writer.add(Elementary.MUL, whole, gamma)


def softplus(writer: FunctionWriter, x: Step, beta: float = 1.0) -> Step:
    """``log(1 + exp(beta * x)) / beta``."""
    scaled = x if beta == 1.0 else writer.add(Elementary.MUL, x, beta)
    size = writer.add(Elementary.ABS, scaled)
    decay = writer.add(Elementary.EXP, writer.add(Elementary.MUL, size, -1.0))
    line = writer.add(Elementary.MAX, scaled, 0.0)
    bent = writer.add(Elementary.ADD, line, writer.add(Elementary.LOG1P, decay))
    return bent if beta == 1.0 else writer.add(Elementary.DIV, bent, beta)


def log_sigmoid(writer: FunctionWriter, x: Step) -> Step:
    """``-softplus(-x)``."""
    mirrored = softplus(writer, writer.add(Elementary.MUL, x, -1.0))
    return writer.add(Elementary.MUL, mirrored, -1.0)


def softsign(writer: FunctionWriter, x: Step) -> Step:
    """``x / (1 + |x|)``."""
    return writer.add(
        Elementary.DIV, x, writer.add(Elementary.ADD, writer.add(Elementary.ABS, x), 1.0)
    )


def mish(writer: FunctionWriter, x: Step) -> Step:
    """``x * tanh(softplus(x))``."""
    return writer.add(Elementary.MUL, x, writer.add(Elementary.TANH, softplus(writer, x)))


def swish(writer: FunctionWriter, x: Step, alpha: float = 1.0) -> Step:
    """``x * sigmoid(alpha * x)``, the sigmoid as ``(1 + tanh(alpha * x / 2)) / 2``."""
    bent = writer.add(Elementary.TANH, writer.add(Elementary.MUL, x, alpha / 2))
    gate = writer.add(Elementary.MUL, writer.add(Elementary.ADD, bent, 1.0), 0.5)
    return writer.add(Elementary.MUL, x, gate)


def shrink(writer: FunctionWriter, x: Step, limit: float, bias: float) -> Step:
    """``x + bias`` below ``-limit``, ``x - bias`` above ``limit``, 0 between: hard with the bias
    0, soft with the bias ``limit``."""
    below, above = (writer.add(Elementary.LESS, *pair) for pair in ((x, -limit), (limit, x)))
    low = writer.add(Elementary.MUL, below, writer.add(Elementary.ADD, x, bias))
    high = writer.add(Elementary.MUL, above, writer.add(Elementary.SUB, x, bias))
    return writer.add(Elementary.ADD, low, high)


def threshold(writer: FunctionWriter, x: Step, limit: float, other: float = 0.0) -> Step:
    """x above the limit, else ``other``."""
    above = writer.add(Elementary.LESS, limit, x)
    distance = x if other == 0.0 else writer.add(Elementary.SUB, x, other)
    kept = writer.add(Elementary.MUL, above, distance)
    return kept if other == 0.0 else writer.add(Elementary.ADD, kept, other)


def logarithm(base: float) -> Formula:
    """The logarithm to a base."""
    return lambda w, x: w.add(Elementary.MUL, w.add(Elementary.LOG, x), 1 / math.log(base))
