"""BATCH_MATMUL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyflow.importers.tflite.flatbuffer import RawOperator
from tinyflow.importers.tflite.layer_error import LayerError
from tinyflow.ir import Op, Tensor
from tinyflow.ir.ops.matmul import MatmulAttrs

if TYPE_CHECKING:
    from tinyflow.importers.tflite.importer import Importer


def batch_matmul(importer: Importer, op: RawOperator) -> None:
    """Two operands of rank 3 or 4 with equal leading axes, either of them transposed or not; one
    may be a constant with a single scale."""
    a, b = importer.operand(op, 0), importer.operand(op, 1, "second input")
    if not {len(a.shape), len(b.shape)} <= {3, 4} or a.shape[:-2] != b.shape[:-2]:
        raise LayerError(
            f"it multiplies {list(a.shape)} by {list(b.shape)}",
            "both operands need rank 3 or 4 and equal leading axes",
        )
    attrs = MatmulAttrs(bool(importer.option(op, "adjX")), bool(importer.option(op, "adjY")))
    operands = [_real(importer, op, 0, a, b), _real(importer, op, 1, b, a)]
    importer.emit(op, Op.MATMUL, operands, attrs)


def _real(importer: Importer, op: RawOperator, position: int, x: Tensor, other: Tensor) -> Tensor:
    if not x.is_constant:
        return x
    if x.quant is not None and x.quant.axis is not None:
        raise LayerError(f"its constant '{x.name}' has a scale per channel")
    return importer.parameter(op, position, other) or x
