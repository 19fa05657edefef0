"""Pools with fixed and with adaptive windows."""

from __future__ import annotations

from tinyflow.importers.common.axes import mean_of
from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.images import spatial_rank
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.pools import average_pool, max_pool
from tinyflow.importers.common.windows import Window
from tinyflow.importers.torch.ops.window import image_pair


def convert_max_pool(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """1-D and 2-D, any stride and padding, with ceil_mode; no dilation, no indices."""
    if any(layer.outputs[1:]):
        raise RefusalError(f"{layer.op} whose indices are used is not supported")
    return (max_pool(layer, builder, _window(layer, builder), layer.flag("ceil_mode")),)


def convert_average_pool(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """1-D and 2-D, any stride and padding, with ceil_mode and count_include_pad; no
    divisor_override. A window over the whole image becomes a mean."""
    if "divisor_override" in layer.attributes:
        raise RefusalError(f"{layer.op} with divisor_override is not supported")
    window = _window(layer, builder)
    count = layer.flag("count_include_pad", True)
    return (average_pool(layer, builder, window, layer.flag("ceil_mode"), count),)


def convert_adaptive_average_pool(layer: Layer, builder: Builder) -> tuple[str | Value, ...]:
    """1-D and 2-D, to sizes that divide the image's; to 1 it becomes a mean."""
    window, rank = _adaptive(layer, builder)
    if window is None:
        axes = tuple(range(2, 2 + rank))
        return (mean_of(layer, builder, builder.value(layer), axes, keep=True),)
    return (average_pool(layer, builder, window, ceiling=False, count_padding=False),)


def convert_adaptive_max_pool(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """1-D and 2-D, to sizes that divide the image's; no indices."""
    if any(layer.outputs[1:]):
        raise RefusalError(f"{layer.op} whose indices are used is not supported")
    window, _ = _adaptive(layer, builder)
    rows, columns = _image(layer, builder)
    return (max_pool(layer, builder, window or Window((rows, columns), (1, 1)), ceiling=False),)


def _image(layer: Layer, builder: Builder) -> tuple[int, int]:
    shape = builder.shape(builder.activation(layer))
    return (1, shape[2]) if len(shape) == 3 else (shape[2], shape[3])


def _adaptive(layer: Layer, builder: Builder) -> tuple[Window | None, int]:
    """The window, None where it is the whole image, and the number of image axes."""
    rank = spatial_rank(layer, builder, builder.activation(layer))
    image = _image(layer, builder)
    wanted = image_pair(layer, "output_size", rank, 1)
    if wanted == (1, 1):
        return None, rank
    if any(size % count for size, count in zip(image, wanted, strict=True)):
        raise RefusalError(
            f"{layer.op} of {image[0]}x{image[1]} to {wanted[0]}x{wanted[1]} has windows of "
            "different sizes",
            "pool to sizes that divide the image's",
        )
    kernel = (image[0] // wanted[0], image[1] // wanted[1])
    return Window(kernel, kernel), rank


def _window(layer: Layer, builder: Builder) -> Window:
    rank = spatial_rank(layer, builder, builder.activation(layer))
    if image_pair(layer, "dilation", rank, 1) != (1, 1):
        raise RefusalError(f"{layer.op} with dilation is not supported")
    kernel = image_pair(layer, "kernel_size", rank, 1)
    stride = kernel
    if layer.attributes.get("stride") not in (None, []):
        stride = image_pair(layer, "stride", rank, 1)
    rows, columns = image_pair(layer, "padding", rank, 0)
    return Window(kernel, stride, (1, 1), ((rows, rows), (columns, columns)))
