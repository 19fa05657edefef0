"""Activations that are layers of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyflow.importers.tflite.activation import RELU_N1_TO_1
from tinyflow.importers.tflite.flatbuffer import RawOperator
from tinyflow.importers.tflite.layer_error import LayerError
from tinyflow.ir import RELU, RELU6, Attrs, Clamp, Op
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.leaky_relu import LeakyReluAttrs

if TYPE_CHECKING:
    from tinyflow.importers.tflite.importer import Importer


def relu(importer: Importer, op: RawOperator) -> None:
    """Any tensor."""
    _unary(importer, op, Op.CLAMP, ClampAttrs(RELU))


def relu6(importer: Importer, op: RawOperator) -> None:
    """Any tensor."""
    _unary(importer, op, Op.CLAMP, ClampAttrs(RELU6))


def relu_0_to_1(importer: Importer, op: RawOperator) -> None:
    """Any tensor."""
    _unary(importer, op, Op.CLAMP, ClampAttrs(Clamp(0.0, 1.0)))


def relu_n1_to_1(importer: Importer, op: RawOperator) -> None:
    """Any tensor."""
    _unary(importer, op, Op.CLAMP, ClampAttrs(RELU_N1_TO_1))


def hard_swish(importer: Importer, op: RawOperator) -> None:
    """Any tensor."""
    _unary(importer, op, Op.HARD_SWISH, Attrs())


def leaky_relu(importer: Importer, op: RawOperator) -> None:
    """Any tensor and slope."""
    alpha = op.options.get("alpha")
    if not isinstance(alpha, float) or not abs(alpha) < float("inf"):
        raise LayerError(f"its slope is {alpha}")
    _unary(importer, op, Op.LEAKY_RELU, LeakyReluAttrs(alpha))


def logistic(importer: Importer, op: RawOperator) -> None:
    """Any tensor."""
    _unary(importer, op, Op.SIGMOID, Attrs())


def tanh(importer: Importer, op: RawOperator) -> None:
    """Any tensor."""
    _unary(importer, op, Op.TANH, Attrs())


def _unary(importer: Importer, op: RawOperator, kind: Op, attrs: Attrs) -> None:
    importer.emit(op, kind, [importer.operand(op, 0)], attrs)
