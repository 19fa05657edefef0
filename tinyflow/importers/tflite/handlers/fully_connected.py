"""FULLY_CONNECTED."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyflow.importers.tflite.activation import fused_clamp
from tinyflow.importers.tflite.flatbuffer import RawOperator
from tinyflow.importers.tflite.layer_error import LayerError
from tinyflow.ir import Op
from tinyflow.ir.ops.fully_connected import FullyConnectedAttrs

if TYPE_CHECKING:
    from tinyflow.importers.tflite.importer import Importer


def fully_connected(importer: Importer, op: RawOperator) -> None:
    """Constant weights, per tensor (any zero point) or per channel, with or without bias; an input
    of rank 2, of higher rank with keep_num_dims, or one that flattens into one row; a fused RELU,
    RELU6 or RELU_N1_TO_1. Integer weights of a float layer are converted to float."""
    x = importer.operand(op, 0)
    weight = importer.parameter(op, 1, x)
    if weight is None or len(weight.shape) != 2:
        raise LayerError("its weight is no matrix")
    if importer.options_or(op, "weightsFormat", 0) != 0:
        raise LayerError("its weights are shuffled for one processor", "export the plain format")
    inner = weight.shape[1]
    keep = bool(importer.options_or(op, "keepNumDims", 0)) and x.shape[-1:] == (inner,)
    if not keep and x.shape[1:] != (inner,):
        if x.elements != inner:
            raise LayerError(
                f"an input {list(x.shape)} makes {x.elements / inner:g} rows of {inner}, "
                "and the batch axis must stay 1"
            )
        x = importer.reshape(op, x, (1, inner))
    attrs = FullyConnectedAttrs(fused_clamp(importer.option(op, "fusedActivationFunction")))
    bias = importer.parameter(op, 2, x, "bias")
    importer.emit(op, Op.FULLY_CONNECTED, [x, weight, bias], attrs)
