"""MAX_POOL_2D and AVERAGE_POOL_2D."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyflow.importers.tflite.activation import fused_clamp
from tinyflow.importers.tflite.flatbuffer import RawOperator
from tinyflow.importers.tflite.layer_error import LayerError
from tinyflow.importers.tflite.padding import resolve_padding
from tinyflow.ir import Op
from tinyflow.ir.ops.pool import PoolAttrs

if TYPE_CHECKING:
    from tinyflow.importers.tflite.importer import Importer


def max_pool(importer: Importer, op: RawOperator) -> None:
    """Any window and stride; SAME or VALID padding; a fused RELU, RELU6 or RELU_N1_TO_1."""
    _pool(importer, op, Op.MAX_POOL)


def average_pool(importer: Importer, op: RawOperator) -> None:
    """Any window and stride; SAME padding, which does not count, or VALID; a fused RELU, RELU6 or
    RELU_N1_TO_1."""
    _pool(importer, op, Op.AVERAGE_POOL)


def _pool(importer: Importer, op: RawOperator, kind: Op) -> None:
    x = importer.operand(op, 0)
    if len(x.shape) != 4:
        raise LayerError(f"its input {list(x.shape)} is no image")
    window = importer.option(op, "filterHeight"), importer.option(op, "filterWidth")
    strides = importer.option(op, "strideH"), importer.option(op, "strideW")
    if min(window) < 1 or min(strides) < 1:
        raise LayerError(f"its window {window} or strides {strides} are not positive")
    padding = resolve_padding(importer.option(op, "padding"), x.shape[1:3], window, strides)
    clamp = fused_clamp(importer.option(op, "fusedActivationFunction"))
    importer.emit(op, kind, [x], PoolAttrs(window, strides, padding, clamp))
