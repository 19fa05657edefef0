"""TRANSPOSE_CONV."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyflow.importers.tflite.activation import fused_clamp
from tinyflow.importers.tflite.flatbuffer import RawOperator
from tinyflow.importers.tflite.handlers.convolution import kernel
from tinyflow.importers.tflite.layer_error import LayerError
from tinyflow.importers.tflite.padding import SAME, check_scheme
from tinyflow.ir import Op
from tinyflow.ir.ops.spatial import Pair, same_padding
from tinyflow.ir.ops.transpose_conv2d import TransposeConv2DAttrs

if TYPE_CHECKING:
    from tinyflow.importers.tflite.importer import Importer


def transpose_conv(importer: Importer, op: RawOperator) -> None:
    """Constant weights, with or without bias; any stride; SAME or VALID padding; an output shape
    that is known at import; a fused RELU, RELU6 or RELU_N1_TO_1."""
    size = importer.integers(op, 0, "output shape")
    x = importer.operand(op, 2)
    weight = importer.parameter(op, 1, x)
    if weight is None or len(weight.shape) != 4 or len(x.shape) != 4 or len(size) != 4:
        raise LayerError("its operands are no images")
    strides = importer.option(op, "strideH"), importer.option(op, "strideW")
    if min(strides) < 1:
        raise LayerError(f"its strides {strides} are not positive")
    scheme = importer.option(op, "padding")
    check_scheme(scheme)
    rows, columns = (
        _crop(x.shape[1 + i], kernel(weight)[i], strides[i], size[1 + i], scheme == SAME)
        for i in (0, 1)
    )
    attrs = TransposeConv2DAttrs(
        strides,
        (rows[0], columns[0]),
        (rows[1], columns[1]),
        fused_clamp(importer.options_or(op, "fusedActivationFunction", 0)),
    )
    bias = importer.parameter(op, 3, x, "bias")
    importer.emit(op, Op.TRANSPOSE_CONV_2D, [x, weight, bias], attrs)


def _crop(size: int, reach: int, stride: int, wanted: int, same: bool) -> tuple[Pair, int]:
    """What to cut (before, after) from the full result along one axis, and what to append first,
    so that ``wanted`` pixels are left. SAME is that of the convolution which would lead back."""
    full = (size - 1) * stride + reach
    before = same_padding(wanted, reach, stride, 1)[0] if same else 0
    after = full - before - wanted
    return (before, max(after, 0)), max(-after, 0)
