"""Writes formulas in x as the steps of a FUNCTION."""

from __future__ import annotations

import math
from collections.abc import Callable

from tinyflow.ir.clamp import Clamp
from tinyflow.ir.ops.function import Elementary, FunctionAttrs, FunctionStep, Value

Term = Value | float
"""What a step reads: an earlier value or a number."""


class FunctionWriter:
    """Collects steps; each method adds one or more and returns the value of the last."""

    def __init__(self) -> None:
        self._steps: list[FunctionStep] = []

    def add(self, function: Elementary, *operands: Term) -> Value:
        values = [v if isinstance(v, Value) else Value(constant=float(v)) for v in operands]
        self._steps.append(FunctionStep(function, tuple(values)))
        return Value(len(self._steps))

    def clamp(self, clamp: Clamp, x: Value) -> Value:
        if clamp.lo > -math.inf:
            x = self.add(Elementary.MAX, x, clamp.lo)
        return self.add(Elementary.MIN, x, clamp.hi) if clamp.hi < math.inf else x

    def attrs(self) -> FunctionAttrs:
        """The steps so far; the last one is the result."""
        return FunctionAttrs(tuple(self._steps))


def write_function(formula: Callable[[FunctionWriter, Value], Value]) -> FunctionAttrs:
    """The function whose last step is what ``formula(writer, x)`` returns."""
    writer = FunctionWriter()
    formula(writer, Value(0))
    return writer.attrs()
