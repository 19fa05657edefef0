"""Writes nodes that work element by element as the steps of one FUNCTION."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from tinyflow.ir import Clamp, Graph, Node, Op
from tinyflow.ir.ops.function import Elementary, FunctionAttrs, Value
from tinyflow.ir.ops.function_writer import FunctionWriter
from tinyflow.passes.facts import clamp_of


def function_of(graph: Graph, x: str, nodes: Sequence[Node]) -> FunctionAttrs:
    """The result of the last of ``nodes``, which stand in order, as a function of tensor ``x``."""
    steps = FunctionWriter()
    values = {x: Value(0)}
    for node in nodes:
        for name, tensor in zip(node.inputs, graph.operands(node), strict=True):
            if tensor.is_constant:
                values[name] = Value(constant=float(tensor.value.item()))
        result = _WRITERS[node.op](steps, node.attrs, *(values[name] for name in node.inputs))
        clamp = clamp_of(node)
        values[node.output] = result if clamp is None else steps.clamp(clamp, result)
    return steps.attrs()


_Writer = Callable[..., Value]


def _plain(function: Elementary) -> _Writer:
    return lambda steps, attrs, *operands: steps.add(function, *operands)


def _gelu(steps: FunctionWriter, attrs: Any, x: Value) -> Value:
    if attrs.tanh:
        cube = steps.add(Elementary.MUL, steps.add(Elementary.POWER, x, 3.0), 0.044715)
        inner = steps.add(Elementary.ADD, x, cube)
        bent = steps.add(Elementary.TANH, steps.add(Elementary.MUL, inner, math.sqrt(2 / math.pi)))
    else:
        bent = steps.add(Elementary.ERF, steps.add(Elementary.MUL, x, math.sqrt(0.5)))
    doubled = steps.add(Elementary.MUL, x, steps.add(Elementary.ADD, bent, 1.0))
    return steps.add(Elementary.MUL, doubled, 0.5)


def _hard_sigmoid(steps: FunctionWriter, attrs: Any, x: Value) -> Value:
    line = steps.add(Elementary.ADD, steps.add(Elementary.MUL, x, attrs.alpha), attrs.beta)
    return steps.clamp(Clamp(0.0, 1.0), line)


def _hard_swish(steps: FunctionWriter, attrs: Any, x: Value) -> Value:
    gate = steps.clamp(Clamp(0.0, 6.0), steps.add(Elementary.ADD, x, 3.0))
    return steps.add(Elementary.DIV, steps.add(Elementary.MUL, x, gate), 6.0)


def _sigmoid(steps: FunctionWriter, attrs: Any, x: Value) -> Value:
    """``(1 + tanh(x / 2)) / 2``, which cannot overflow."""
    bent = steps.add(Elementary.TANH, steps.add(Elementary.MUL, x, 0.5))
    return steps.add(Elementary.MUL, steps.add(Elementary.ADD, bent, 1.0), 0.5)


def _leaky_relu(steps: FunctionWriter, attrs: Any, x: Value) -> Value:
    below = steps.add(Elementary.MUL, steps.add(Elementary.MIN, x, 0.0), attrs.alpha)
    return steps.add(Elementary.ADD, steps.add(Elementary.MAX, x, 0.0), below)


def _inlined(steps: FunctionWriter, attrs: FunctionAttrs, x: Value) -> Value:
    values = [x]
    for step in attrs.steps:
        operands = [v if v.index is None else values[v.index] for v in step.operands]
        values.append(steps.add(step.function, *operands))
    return values[-1]


_WRITERS: dict[Op, _Writer] = {
    Op.ABS: _plain(Elementary.ABS),
    Op.ADD: _plain(Elementary.ADD),
    Op.CLAMP: lambda steps, attrs, x: x,
    Op.DIV: _plain(Elementary.DIV),
    Op.ERF: _plain(Elementary.ERF),
    Op.EXP: _plain(Elementary.EXP),
    Op.FUNCTION: _inlined,
    Op.GELU: _gelu,
    Op.HARD_SIGMOID: _hard_sigmoid,
    Op.HARD_SWISH: _hard_swish,
    Op.LEAKY_RELU: _leaky_relu,
    Op.LOG: _plain(Elementary.LOG),
    Op.MAXIMUM: _plain(Elementary.MAX),
    Op.MINIMUM: _plain(Elementary.MIN),
    Op.MUL: _plain(Elementary.MUL),
    Op.POWER: lambda steps, attrs, x: steps.add(Elementary.POWER, x, attrs.exponent),
    Op.SIGMOID: _sigmoid,
    Op.SUB: _plain(Elementary.SUB),
    Op.TANH: _plain(Elementary.TANH),
}
