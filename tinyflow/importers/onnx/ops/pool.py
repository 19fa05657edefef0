"""MaxPool and AveragePool."""

from __future__ import annotations

from dataclasses import replace

from tinyflow.importers.onnx.builder import Builder
from tinyflow.importers.onnx.layer import Layer, RefusalError
from tinyflow.importers.onnx.ops.images import spatial_rank, to_nhwc, to_source
from tinyflow.importers.onnx.ops.window import Window, output_size, window_of
from tinyflow.ir import Op
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.pad import PadAttrs
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.ir.ops.spatial import NO_PADDING


def convert_max_pool(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """1-D and 2-D, any stride and padding, with ceil_mode; no dilation, no indices."""
    if len([o for o in layer.outputs if o]) > 1:
        raise RefusalError("MaxPool with its second output, the indices, is not supported")
    rank = spatial_rank(layer, builder, builder.activation(layer))
    x = to_nhwc(layer, builder, builder.activation(layer))
    size = builder.shape(x)[1], builder.shape(x)[2]
    window = _window(layer, rank, size)
    if layer.integer("ceil_mode", 0):
        window = window.with_ceiling(size)
    attrs = PoolAttrs(window.kernel, window.strides, window.padding)
    return (to_source(layer, builder, builder.emit(layer, Op.MAX_POOL, (x,), attrs), rank),)


def convert_average_pool(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """1-D and 2-D, any stride and padding, with ceil_mode and count_include_pad; no dilation.
    A window over the whole image becomes a mean, which has a scale of its own in int8."""
    rank = spatial_rank(layer, builder, builder.activation(layer))
    x = to_nhwc(layer, builder, builder.activation(layer))
    size = builder.shape(x)[1], builder.shape(x)[2]
    window = _window(layer, rank, size)
    if layer.integer("count_include_pad", 0) and window.padding != NO_PADDING:
        # The graph's average leaves padded pixels out, so they become pixels of the image. Those
        # that only ceil_mode adds stay out in ONNX too.
        pads = ((0, 0), *window.padding, (0, 0))
        x = builder.emit(layer, Op.PAD, (x,), PadAttrs(pads), "padded")
        size = builder.shape(x)[1], builder.shape(x)[2]
        window = replace(window, padding=NO_PADDING)
    if layer.integer("ceil_mode", 0):
        window = window.with_ceiling(size)
    if (
        window.kernel == size
        and window.padding == NO_PADDING
        and output_size(window, size)
        == (
            1,
            1,
        )
    ):
        y = builder.emit(layer, Op.MEAN, (x,), MeanAttrs((1, 2), keep_dims=True))
    else:
        attrs = PoolAttrs(window.kernel, window.strides, window.padding)
        y = builder.emit(layer, Op.AVERAGE_POOL, (x,), attrs)
    return (to_source(layer, builder, y, rank),)


def _window(layer: Layer, rank: int, size: tuple[int, int]) -> Window:
    kernel = layer.integers("kernel_shape")
    if kernel is None or len(kernel) != rank:
        raise RefusalError(f"{layer.op} has a kernel {kernel} over {rank} image axes")
    window = window_of(layer, kernel, size)
    if window.dilations != (1, 1):
        raise RefusalError(f"{layer.op} with dilation is not supported")
    return window
