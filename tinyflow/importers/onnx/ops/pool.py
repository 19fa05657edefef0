"""MaxPool and AveragePool."""

from __future__ import annotations

from tinyflow.importers.common.builder import Builder
from tinyflow.importers.common.images import spatial_rank
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.windows import Window, average_pool, max_pool
from tinyflow.importers.onnx.ops.window import window_of


def convert_max_pool(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """1-D and 2-D, any stride and padding, with ceil_mode; no dilation, no indices."""
    if len([o for o in layer.outputs if o]) > 1:
        raise RefusalError("MaxPool with its second output, the indices, is not supported")
    ceiling = bool(layer.integer("ceil_mode", 0))
    return (max_pool(layer, builder, _window(layer, builder), ceiling),)


def convert_average_pool(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """1-D and 2-D, any stride and padding, with ceil_mode and count_include_pad; no dilation.
    A window over the whole image becomes a mean, which has a scale of its own in int8."""
    ceiling = bool(layer.integer("ceil_mode", 0))
    count = bool(layer.integer("count_include_pad", 0))
    return (average_pool(layer, builder, _window(layer, builder), ceiling, count),)


def _window(layer: Layer, builder: Builder) -> Window:
    x = builder.activation(layer)
    rank = spatial_rank(layer, builder, x)
    kernel = layer.integers("kernel_shape")
    if kernel is None or len(kernel) != rank:
        raise RefusalError(f"{layer.op} has a kernel {kernel} over {rank} image axes")
    shape = builder.shape(x)
    window = window_of(layer, kernel, (1, shape[2]) if rank == 1 else (shape[2], shape[3]))
    if window.dilations != (1, 1):
        raise RefusalError(f"{layer.op} with dilation is not supported")
    return window
