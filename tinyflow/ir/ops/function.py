"""FUNCTION: a composition of elementary functions of one element, in int8 a single table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.erf import erf
from tinyflow.ir.ops.power import power
from tinyflow.ir.ops.spec import OpSpec, same_shape


class Elementary(Enum):
    """What one step computes; the value shows how it is written."""

    ADD = "({} + {})"
    SUB = "({} - {})"
    MUL = "({} * {})"
    DIV = "({} / {})"
    MIN = "min({}, {})"
    MAX = "max({}, {})"
    POWER = "pow({}, {})"
    ABS = "abs({})"
    ERF = "erf({})"
    EXP = "exp({})"
    LOG = "log({})"
    TANH = "tanh({})"


_COMPUTE: dict[Elementary, Callable[..., np.ndarray]] = {
    Elementary.ADD: np.add,
    Elementary.SUB: np.subtract,
    Elementary.MUL: np.multiply,
    Elementary.DIV: np.divide,
    Elementary.MIN: np.minimum,
    Elementary.MAX: np.maximum,
    Elementary.POWER: lambda x, exponent: power(x, float(exponent)),
    Elementary.ABS: np.abs,
    Elementary.ERF: erf,
    Elementary.EXP: np.exp,
    Elementary.LOG: np.log,
    Elementary.TANH: np.tanh,
}


@dataclass(frozen=True)
class Value:
    """An operand of a step: value number ``index``, or a constant where there is no index.

    Value 0 is the node's input, value i the result of step i.
    """

    index: int | None = None
    constant: float = 0.0


@dataclass(frozen=True)
class FunctionStep:
    function: Elementary
    operands: tuple[Value, ...]


@dataclass(frozen=True)
class FunctionAttrs(Attrs):
    """Steps in order; the last one is the result. The exponent of a POWER is a constant."""

    steps: tuple[FunctionStep, ...]

    def __str__(self) -> str:
        """The formula in x."""
        values = ["x"]
        for step in self.steps:
            texts = [
                values[v.index] if v.index is not None else f"{v.constant:g}" for v in step.operands
            ]
            values.append(step.function.value.format(*texts))
        return values[-1]


def evaluate(attrs: FunctionAttrs, x: np.ndarray) -> np.ndarray:
    values = [x]
    for step in attrs.steps:
        operands = [
            values[v.index] if v.index is not None else np.asarray(v.constant, x.dtype)
            for v in step.operands
        ]
        values.append(_COMPUTE[step.function](*operands))
    return values[-1]


SPEC = OpSpec(Op.FUNCTION, FunctionAttrs, ("x",), same_shape, evaluate, unary=True, in_place=True)
