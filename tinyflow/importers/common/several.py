"""Sums, means and extremes of any number of operands, with broadcasting."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.elementwise import binary, clamped, operand
from tinyflow.importers.common.layer import Layer
from tinyflow.ir import Op

Operand = Value | np.ndarray

_COMBINE: dict[Op, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    Op.ADD: np.add,
    Op.MAXIMUM: np.maximum,
    Op.MINIMUM: np.minimum,
}


def operands_of(layer: Layer, builder: Builder) -> list[Operand]:
    """All operands of a layer; constants as arrays."""
    return [operand(layer, builder, i) for i in range(len(layer.inputs)) if layer.has(i)]


def sum_of_all(
    layer: Layer, builder: Builder, operands: Sequence[Operand], suffix: str = ""
) -> Value:
    values, constant = _sorted(Op.ADD, operands)
    addends: list[Operand] = [*values, *([] if constant is None else [constant])]
    return _chain(layer, builder, Op.ADD, addends, suffix)


def mean_of_all(layer: Layer, builder: Builder, operands: Sequence[Operand]) -> Value:
    if len(operands) == 1:
        return sum_of_all(layer, builder, operands)
    total = sum_of_all(layer, builder, operands, "sum")
    return binary(layer, builder, Op.MUL, (total, 1.0 / len(operands)))


def extreme_of_all(layer: Layer, builder: Builder, op: Op, operands: Sequence[Operand]) -> Value:
    """MAXIMUM or MINIMUM, ``op``; a limit of one number is a CLAMP."""
    values, limit = _sorted(op, operands)
    if limit is None:
        return _chain(layer, builder, op, values, "")
    first = _chain(layer, builder, op, values, "computed")
    if limit.size > 1 or limit.ndim > len(first.shape):
        return binary(layer, builder, op, (first, limit))
    bounds = {Op.MAXIMUM: (float(limit.item()), math.inf), Op.MINIMUM: (-math.inf, limit.item())}
    return clamped(layer, builder, first, *bounds[op])


def _sorted(op: Op, operands: Sequence[Operand]) -> tuple[list[Value], np.ndarray | None]:
    """The computed operands, and all constant ones as one."""
    values = [x for x in operands if isinstance(x, Value)]
    constants = [x for x in operands if not isinstance(x, Value)]
    return values, reduce(_COMBINE[op], constants) if constants else None


def _chain(
    layer: Layer, builder: Builder, op: Op, operands: Sequence[Operand], suffix: str
) -> Value:
    """One operand after the other; the last step has the layer's name, or ``suffix``."""
    result, *others = operands
    assert isinstance(result, Value)
    for number, other in enumerate(others, 1):
        name = suffix if number == len(others) else f"{suffix or 'of'}_{number + 1}"
        result = binary(layer, builder, op, (result, other), name)
        assert isinstance(result, Value)
    return result
