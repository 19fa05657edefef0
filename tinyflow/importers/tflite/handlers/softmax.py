"""SOFTMAX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyflow.importers.tflite.flatbuffer import RawOperator
from tinyflow.importers.tflite.layer_error import LayerError
from tinyflow.ir import Op
from tinyflow.ir.ops.softmax import SoftmaxAttrs

if TYPE_CHECKING:
    from tinyflow.importers.tflite.importer import Importer


def softmax(importer: Importer, op: RawOperator) -> None:
    """Over the last axis, with any positive beta."""
    beta = op.options.get("beta")
    if not isinstance(beta, float) or not 0 < beta < float("inf"):
        raise LayerError(f"its beta is {beta}")
    importer.emit(op, Op.SOFTMAX, [importer.operand(op, 0)], SoftmaxAttrs(beta))
