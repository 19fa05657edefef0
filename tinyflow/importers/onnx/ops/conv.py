"""Conv."""

from __future__ import annotations

from tinyflow.importers.common.builder import Builder
from tinyflow.importers.common.images import spatial_rank, to_nhwc, to_source
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.windows import convolution, image_size
from tinyflow.importers.onnx.ops.window import window_of


def convert_conv(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """1-D and 2-D, any stride, dilation, group and padding; weight and bias are constants."""
    rank = spatial_rank(layer, builder, builder.activation(layer))
    weight = builder.weight(layer, 1, "weight")
    if weight.ndim != rank + 2:
        raise RefusalError(f"a weight {list(weight.shape)} does not fit {rank} image axes")
    if rank == 1:
        weight = weight[:, :, None, :]
    image = to_nhwc(layer, builder, builder.activation(layer))
    window = window_of(layer, weight.shape[2:][-rank:], image_size(builder, image))
    bias = builder.weight(layer, 2, "bias") if layer.has(2) else None
    stems = layer.inputs[1], layer.inputs[2] if layer.has(2) else ""
    groups = layer.integer("group", 1)
    y = convolution(layer, builder, image, weight, bias, window, groups, stems)
    return (to_source(layer, builder, y, rank),)
