"""CONV_2D and DEPTHWISE_CONV_2D."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyflow.importers.tflite.activation import fused_clamp
from tinyflow.importers.tflite.flatbuffer import RawOperator
from tinyflow.importers.tflite.layer_error import LayerError
from tinyflow.importers.tflite.padding import resolve_padding
from tinyflow.ir import Op, Tensor
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.ir.ops.depthwise_conv2d import DepthwiseConv2DAttrs
from tinyflow.ir.ops.spatial import Pair

if TYPE_CHECKING:
    from tinyflow.importers.tflite.importer import Importer


def conv_2d(importer: Importer, op: RawOperator) -> None:
    """Constant weights, with or without bias; any stride, dilation and number of groups; SAME or
    VALID padding; a fused RELU, RELU6 or RELU_N1_TO_1. Integer weights of a float layer are
    converted to float."""
    x, weight, bias = weighted_operands(importer, op)
    if x.shape[3] % weight.shape[3]:
        raise LayerError(f"{x.shape[3]} input channels do not fit a weight {list(weight.shape)}")
    strides, dilations = steps(importer, op)
    attrs = Conv2DAttrs(
        strides,
        resolve_padding(
            importer.option(op, "padding"), x.shape[1:3], kernel(weight), strides, dilations
        ),
        dilations,
        x.shape[3] // weight.shape[3],
        fused_clamp(importer.option(op, "fusedActivationFunction")),
    )
    importer.emit(op, Op.CONV_2D, [x, weight, bias], attrs)


def depthwise_conv_2d(importer: Importer, op: RawOperator) -> None:
    """Constant weights, with or without bias; any channel multiplier, stride and dilation; SAME or
    VALID padding; a fused RELU, RELU6 or RELU_N1_TO_1. Integer weights of a float layer are
    converted to float."""
    x, weight, bias = weighted_operands(importer, op)
    strides, dilations = steps(importer, op)
    attrs = DepthwiseConv2DAttrs(
        strides,
        resolve_padding(
            importer.option(op, "padding"), x.shape[1:3], kernel(weight), strides, dilations
        ),
        dilations,
        fused_clamp(importer.option(op, "fusedActivationFunction")),
    )
    importer.emit(op, Op.DEPTHWISE_CONV_2D, [x, weight, bias], attrs)


def weighted_operands(importer: Importer, op: RawOperator) -> tuple[Tensor, Tensor, Tensor | None]:
    """The image [1,h,w,c], the weight of rank 4 and, if there is one, the bias."""
    x = importer.operand(op, 0)
    weight = importer.parameter(op, 1, x)
    if weight is None:
        raise LayerError("its weight is missing")
    if len(x.shape) != 4 or len(weight.shape) != 4:
        raise LayerError(f"its input {list(x.shape)} and weight {list(weight.shape)} are no images")
    return x, weight, importer.parameter(op, 2, x, "bias")


def kernel(weight: Tensor) -> Pair:
    return weight.shape[1], weight.shape[2]


def steps(importer: Importer, op: RawOperator) -> tuple[Pair, Pair]:
    """Strides and dilations, as (vertical, horizontal)."""
    strides = importer.option(op, "strideH"), importer.option(op, "strideW")
    dilations = importer.option(op, "dilationHFactor"), importer.option(op, "dilationWFactor")
    if min(strides) < 1 or min(dilations) < 1:
        raise LayerError(f"its strides {strides} or dilations {dilations} are not positive")
    return strides, dilations
