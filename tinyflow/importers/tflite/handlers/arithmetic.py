"""ADD, SUB, MUL, MAXIMUM, MINIMUM and PRELU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyflow.importers.tflite.activation import fused_clamp
from tinyflow.importers.tflite.flatbuffer import RawOperator
from tinyflow.ir import Op, Tensor
from tinyflow.ir.ops.broadcast import BinaryAttrs

if TYPE_CHECKING:
    from tinyflow.importers.tflite.importer import Importer


def add(importer: Importer, op: RawOperator) -> None:
    """Any shapes that broadcast, constants included, with a fused RELU, RELU6 or RELU_N1_TO_1."""
    _binary(importer, op, Op.ADD)


def sub(importer: Importer, op: RawOperator) -> None:
    """Any shapes that broadcast, constants included, with a fused RELU, RELU6 or RELU_N1_TO_1."""
    _binary(importer, op, Op.SUB)


def mul(importer: Importer, op: RawOperator) -> None:
    """Any shapes that broadcast, constants included, with a fused RELU, RELU6 or RELU_N1_TO_1."""
    _binary(importer, op, Op.MUL)


def maximum(importer: Importer, op: RawOperator) -> None:
    """Any shapes that broadcast, constants included."""
    importer.emit(op, Op.MAXIMUM, _operands(importer, op))


def minimum(importer: Importer, op: RawOperator) -> None:
    """Any shapes that broadcast, constants included."""
    importer.emit(op, Op.MINIMUM, _operands(importer, op))


def prelu(importer: Importer, op: RawOperator) -> None:
    """Constant slopes of any shape that broadcasts to the input."""
    x = importer.operand(op, 0)
    importer.emit(op, Op.PRELU, [x, importer.parameter(op, 1, x, "slope")])


def _binary(importer: Importer, op: RawOperator, kind: Op) -> None:
    attrs = BinaryAttrs(fused_clamp(importer.option(op, "fusedActivationFunction")))
    importer.emit(op, kind, _operands(importer, op), attrs)


def _operands(importer: Importer, op: RawOperator) -> list[Tensor]:
    a, b = importer.operand(op, 0), importer.operand(op, 1, "second input")
    rank = max(len(a.shape), len(b.shape))
    return [_with_rank(importer, op, t, rank) for t in (a, b)]


def _with_rank(importer: Importer, op: RawOperator, x: Tensor, rank: int) -> Tensor:
    """Broadcasting adds axes in front, but the batch axis of an activation must stay first."""
    missing = rank - len(x.shape)
    if x.is_constant or not missing:
        return x
    return importer.reshape(op, x, (x.shape[0], *(1,) * missing, *x.shape[1:]))
