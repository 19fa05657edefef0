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
    """What one step computes; the value shows how it is written.

    LESS is 1 where it holds and 0 elsewhere; ROUND rounds halves to even.
    """

    ADD = "({} + {})"
    SUB = "({} - {})"
    MUL = "({} * {})"
    DIV = "({} / {})"
    MIN = "min({}, {})"
    MAX = "max({}, {})"
    LESS = "({} < {})"
    POWER = "pow({}, {})"
    ABS = "abs({})"
    SIGN = "sign({})"
    FLOOR = "floor({})"
    CEIL = "ceil({})"
    ROUND = "round({})"
    TRUNC = "trunc({})"
    ERF = "erf({})"
    EXP = "exp({})"
    EXPM1 = "expm1({})"
    LOG = "log({})"
    LOG1P = "log1p({})"
    SIN = "sin({})"
    COS = "cos({})"
    TAN = "tan({})"
    ASIN = "asin({})"
    ACOS = "acos({})"
    ATAN = "atan({})"
    SINH = "sinh({})"
    COSH = "cosh({})"
    TANH = "tanh({})"
    ASINH = "asinh({})"
    ACOSH = "acosh({})"
    ATANH = "atanh({})"


def _less(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.less(a, b).astype(np.result_type(a, b))


_COMPUTE: dict[Elementary, Callable[..., np.ndarray]] = {
    Elementary.ADD: np.add,
    Elementary.SUB: np.subtract,
    Elementary.MUL: np.multiply,
    Elementary.DIV: np.divide,
    Elementary.MIN: np.minimum,
    Elementary.MAX: np.maximum,
    Elementary.LESS: _less,
    Elementary.POWER: lambda x, exponent: power(x, float(exponent)),
    Elementary.ABS: np.abs,
    Elementary.SIGN: np.sign,
    Elementary.FLOOR: np.floor,
    Elementary.CEIL: np.ceil,
    Elementary.ROUND: np.round,
    Elementary.TRUNC: np.trunc,
    Elementary.ERF: erf,
    Elementary.EXP: np.exp,
    Elementary.EXPM1: np.expm1,
    Elementary.LOG: np.log,
    Elementary.LOG1P: np.log1p,
    Elementary.SIN: np.sin,
    Elementary.COS: np.cos,
    Elementary.TAN: np.tan,
    Elementary.ASIN: np.arcsin,
    Elementary.ACOS: np.arccos,
    Elementary.ATAN: np.arctan,
    Elementary.SINH: np.sinh,
    Elementary.COSH: np.cosh,
    Elementary.TANH: np.tanh,
    Elementary.ASINH: np.arcsinh,
    Elementary.ACOSH: np.arccosh,
    Elementary.ATANH: np.arctanh,
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
