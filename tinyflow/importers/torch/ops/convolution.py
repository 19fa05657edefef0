"""Convolutions."""

from __future__ import annotations

from tinyflow.importers.common.builder import Builder
from tinyflow.importers.common.images import spatial_rank, to_nhwc, to_source
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.windows import Window, convolution, image_size
from tinyflow.importers.torch.ops.window import image_pair
from tinyflow.ir import Op
from tinyflow.ir.ops.spatial import Padding, Pair, same_padding
from tinyflow.ir.ops.transpose_conv2d import TransposeConv2DAttrs


def convert_conv(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """1-D and 2-D, any stride, dilation, groups and padding; weight and bias are constants."""
    if layer.flag("transposed"):
        return convert_conv_transpose(layer, builder)
    rank = spatial_rank(layer, builder, builder.activation(layer))
    weight = builder.weight(layer, 1, "weight")
    if rank == 1:
        weight = weight[:, :, None, :]
    image = to_nhwc(layer, builder, builder.activation(layer))
    kernel = (weight.shape[2], weight.shape[3])
    strides = image_pair(layer, "stride", rank, 1)
    dilations = image_pair(layer, "dilation", rank, 1)
    padding = _padding(layer, rank, image_size(builder, image), kernel, dilations)
    window = Window(kernel, strides, dilations, padding)
    bias = builder.weight(layer, 2, "bias") if layer.has(2) else None
    stems = layer.inputs[1], layer.inputs[2] if layer.has(2) else ""
    y = convolution(layer, builder, image, weight, bias, window, layer.integer("groups", 1), stems)
    return (to_source(layer, builder, y, rank),)


def convert_conv_transpose(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """1-D and 2-D, any stride and padding, with output_padding; one group, no dilation; weight
    and bias are constants."""
    rank = spatial_rank(layer, builder, builder.activation(layer))
    weight = builder.weight(layer, 1, "weight")
    if rank == 1:
        weight = weight[:, :, None, :]
    if layer.integer("groups", 1) != 1:
        raise RefusalError(
            "a transposed convolution in groups is not supported",
            "use one group, or resize followed by a depthwise convolution",
        )
    if image_pair(layer, "dilation", rank, 1) != (1, 1):
        raise RefusalError("a transposed convolution with dilation is not supported")
    rows, columns = image_pair(layer, "padding", rank, 0)
    attrs = TransposeConv2DAttrs(
        image_pair(layer, "stride", rank, 1),
        ((rows, rows), (columns, columns)),
        image_pair(layer, "output_padding", rank, 0),
    )
    x = to_nhwc(layer, builder, builder.activation(layer))
    # [c, o, kh, kw] -> [o, kh, kw, c]
    inputs = [x, builder.add_constant(layer.inputs[1], weight.transpose(1, 2, 3, 0))]
    if layer.has(2):
        inputs.append(builder.add_constant(layer.inputs[2], builder.weight(layer, 2, "bias")))
    y = builder.emit(layer, Op.TRANSPOSE_CONV_2D, inputs, attrs)
    return (to_source(layer, builder, y, rank),)


def _padding(layer: Layer, rank: int, size: Pair, kernel: Pair, dilations: Pair) -> Padding:
    stated = layer.attributes.get("padding", 0)
    if stated == "valid":
        return (0, 0), (0, 0)
    if stated == "same":
        both = [same_padding(size[i], kernel[i], 1, dilations[i]) for i in (0, 1)]
        return both[0], both[1]
    rows, columns = image_pair(layer, "padding", rank, 0)
    return (rows, rows), (columns, columns)
