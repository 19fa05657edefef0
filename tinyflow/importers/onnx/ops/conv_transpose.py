"""ConvTranspose."""

from __future__ import annotations

from tinyflow.importers.common.builder import Builder
from tinyflow.importers.common.images import spatial_rank, to_nhwc, to_source
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.onnx.ops.window import window_of
from tinyflow.ir import Op
from tinyflow.ir.ops.spatial import Pair
from tinyflow.ir.ops.transpose_conv2d import TransposeConv2DAttrs


def convert_conv_transpose(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """1-D and 2-D, any stride and padding, with output_padding or output_shape; one group, no
    dilation; weight and bias are constants."""
    rank = spatial_rank(layer, builder, builder.activation(layer))
    weight = builder.weight(layer, 1, "weight")
    if weight.ndim != rank + 2:
        raise RefusalError(f"a weight {list(weight.shape)} does not fit {rank} image axes")
    if rank == 1:
        weight = weight[:, :, None, :]
    if layer.integer("group", 1) != 1:
        raise RefusalError(
            "ConvTranspose in groups is not supported",
            "use one group, or resize followed by a depthwise convolution",
        )
    if any(d != 1 for d in layer.integers("dilations") or ()):
        raise RefusalError("ConvTranspose with dilation is not supported")
    x = to_nhwc(layer, builder, builder.activation(layer))
    attrs = _attributes(layer, rank, builder.shape(x)[1:3], weight.shape[2:])
    # [c, o, kh, kw] -> [o, kh, kw, c]
    inputs = [x, builder.add_constant(layer.inputs[1], weight.transpose(1, 2, 3, 0))]
    if layer.has(2):
        inputs.append(builder.add_constant(layer.inputs[2], builder.weight(layer, 2, "bias")))
    y = builder.emit(layer, Op.TRANSPOSE_CONV_2D, inputs, attrs)
    return (to_source(layer, builder, y, rank),)


def _attributes(
    layer: Layer, rank: int, size: tuple[int, ...], kernel: tuple[int, ...]
) -> TransposeConv2DAttrs:
    window = window_of(layer, kernel[-rank:], (size[0], size[1]))
    extra = _image_pair(layer.integers("output_padding"), rank, 0)
    mode = layer.text("auto_pad", "NOTSET")
    stated = layer.integers("output_shape")
    if stated is None and mode in ("NOTSET", "VALID"):
        return TransposeConv2DAttrs(window.strides, window.padding, extra)
    pads: list[Pair] = []
    grown = list(extra)
    for axis in (0, 1):
        wanted = _image_pair(stated[-rank:], rank, 1)[axis] if stated else 0
        wanted = wanted or size[axis] * window.strides[axis]
        full = (size[axis] - 1) * window.strides[axis] + kernel[axis] + extra[axis]
        surplus = full - wanted
        if surplus < 0:
            grown[axis] -= surplus
            surplus = 0
        half = surplus // 2
        pads.append((half, surplus - half) if mode == "SAME_UPPER" else (surplus - half, half))
    return TransposeConv2DAttrs(window.strides, (pads[0], pads[1]), (grown[0], grown[1]))


def _image_pair(values: tuple[int, ...] | None, rank: int, row: int) -> Pair:
    """Values of the image axes; a 1-D layer has ``row`` for its rows."""
    if values is None:
        return (0, 0)
    if len(values) != rank:
        raise RefusalError(f"{list(values)} does not fit {rank} image axes")
    return (row, values[0]) if rank == 1 else (values[0], values[1])
