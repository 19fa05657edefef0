"""L2_NORMALIZATION."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyflow.importers.tflite.activation import fused_clamp
from tinyflow.importers.tflite.flatbuffer import RawOperator
from tinyflow.importers.tflite.layer_error import LayerError
from tinyflow.ir import Op
from tinyflow.ir.ops.l2_norm import L2NormAttrs

if TYPE_CHECKING:
    from tinyflow.importers.tflite.importer import Importer

LEAST_NORM = 1e-6
"""By which TFLite divides at least."""


def l2_normalization(importer: Importer, op: RawOperator) -> None:
    """Over the last axis, without a fused activation."""
    if not fused_clamp(importer.option(op, "fusedActivationFunction")).is_identity:
        raise LayerError("it has a fused activation")
    importer.emit(op, Op.L2_NORM, [importer.operand(op, 0)], L2NormAttrs(LEAST_NORM))
