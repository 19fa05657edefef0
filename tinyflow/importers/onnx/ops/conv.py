"""Conv."""

from __future__ import annotations

import numpy as np

from tinyflow.importers.onnx.builder import Builder
from tinyflow.importers.onnx.layer import Layer, RefusalError
from tinyflow.importers.onnx.ops.images import spatial_rank, to_nhwc, to_source
from tinyflow.importers.onnx.ops.window import window_of
from tinyflow.ir import Op
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.ir.ops.depthwise_conv2d import DepthwiseConv2DAttrs


def convert_conv(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """1-D and 2-D, any stride, dilation, group and padding; weight and bias are constants."""
    rank = spatial_rank(layer, builder, builder.activation(layer))
    weight = builder.weight(layer, 1, "weight")
    if weight.ndim != rank + 2:
        raise RefusalError(f"a weight {list(weight.shape)} does not fit {rank} image axes")
    if rank == 1:
        weight = weight[:, :, None, :]
    inputs = [to_nhwc(layer, builder, builder.activation(layer))]
    _, height, width, channels = builder.shape(inputs[0])
    window = window_of(layer, weight.shape[2:][-rank:], (height, width))
    groups = layer.integer("group", 1)
    if groups < 1 or weight.shape[0] % groups:
        raise RefusalError(f"{weight.shape[0]} output channels do not split in {groups} groups")
    stem = layer.inputs[1]
    if groups == channels and groups > 1 and weight.shape[1] == 1:
        # [c*m, 1, kh, kw] -> [1, kh, kw, c*m]
        inputs.append(builder.add_constant(stem, weight.transpose(1, 2, 3, 0)))
        _add_bias(layer, builder, inputs)
        depthwise = DepthwiseConv2DAttrs(window.strides, window.padding, window.dilations)
        y = builder.emit(layer, Op.DEPTHWISE_CONV_2D, inputs, depthwise)
    else:
        # [o, c/g, kh, kw] -> [o, kh, kw, c/g]
        inputs.append(builder.add_constant(stem, weight.transpose(0, 2, 3, 1)))
        _add_bias(layer, builder, inputs)
        attrs = Conv2DAttrs(window.strides, window.padding, window.dilations, groups)
        y = builder.emit(layer, Op.CONV_2D, inputs, attrs)
    return (to_source(layer, builder, y, rank),)


def _add_bias(layer: Layer, builder: Builder, inputs: list[str]) -> None:
    if layer.has(2):
        bias = np.asarray(builder.weight(layer, 2, "bias"))
        inputs.append(builder.add_constant(layer.inputs[2], bias))
