"""MaxPool, AveragePool and LpPool."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.elementwise import binary, unary_of
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.pools import average_along, average_pool, max_pool, max_pool_along
from tinyflow.importers.common.powers import magnitude_power
from tinyflow.importers.common.windows import Window
from tinyflow.importers.onnx.ops.window import window_of
from tinyflow.ir import Op
from tinyflow.ir.ops.power import PowerAttrs

_LISTS = ("kernel_shape", "strides", "dilations")


def convert_max_pool(layer: Layer, builder: Builder) -> tuple[Value | str, ...]:
    """Over any number of image axes, with any stride, padding and dilation and with ceil_mode; no
    indices. More axes than two, and dilation, cost a pool for each axis."""
    if len([o for o in layer.outputs if o]) > 1:
        raise RefusalError("MaxPool with its second output, the indices, is not supported")
    ceiling = bool(layer.integer("ceil_mode", 0))
    window = _window(layer, builder)
    if window is not None:
        return (max_pool(layer, builder, window, ceiling),)
    x = builder.value(layer)
    for axis, along in _axis_windows(layer, x):
        x = max_pool_along(layer, builder, x, axis, along, ceiling)
    return (x,)


def convert_average_pool(layer: Layer, builder: Builder) -> tuple[Value | str, ...]:
    """Over any number of image axes, with any stride, padding and dilation, with ceil_mode and
    count_include_pad. More axes than two, and dilation, cost a layer for each axis. A window over
    the whole image becomes a mean, which has a scale of its own in int8."""
    ceiling = bool(layer.integer("ceil_mode", 0))
    count = bool(layer.integer("count_include_pad", 0))
    window = _window(layer, builder)
    if window is not None:
        return (average_pool(layer, builder, window, ceiling, count),)
    return (_average(layer, builder, builder.value(layer), ceiling, count),)


def convert_lp_pool(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """As AveragePool, with any p of at least 1: powers, their average times the window's size, and
    the root."""
    p = layer.integer("p", 2)
    kernel = layer.integers("kernel_shape") or ()
    powers = magnitude_power(layer, builder, builder.value(layer), p)
    mean = _average(layer, builder, powers, bool(layer.integer("ceil_mode", 0)), True, True)
    total = binary(layer, builder, Op.MUL, (mean, float(math.prod(kernel))), "sum")
    return (unary_of(layer, builder, Op.POWER, total, PowerAttrs(1 / p)) if p != 1 else total,)


def _window(layer: Layer, builder: Builder) -> Window | None:
    """Of a pool over one or two image axes of a batch of 1, without dilation; else None."""
    shape = builder.value(layer).shape
    rank = len(shape) - 2
    if rank not in (1, 2) or shape[0] != 1:
        return None
    size = (1, shape[2]) if rank == 1 else (shape[2], shape[3])
    window = window_of(layer, _kernel(layer, rank), size)
    return window if window.dilations == (1, 1) else None


def _average(
    layer: Layer, builder: Builder, x: Value, ceiling: bool, count: bool, count_all: bool = False
) -> Value:
    """One axis after the other; ``count_all`` also counts what ceil_mode adds."""
    for axis, along in _axis_windows(layer, x):
        window = along.with_ceiling((1, x.shape[axis])) if count_all and ceiling else along
        x = average_along(layer, builder, x, axis, window, ceiling and not count_all, count)
    return x


def _axis_windows(layer: Layer, x: Value) -> Iterator[tuple[int, Window]]:
    """Each image axis with its own part of the window, as the columns of an image."""
    rank = len(x.shape) - 2
    kernel = _kernel(layer, rank)
    for index, size in enumerate(x.shape[2:]):
        own = {
            name: stated[index : index + 1] for name in _LISTS if (stated := layer.integers(name))
        }
        if pads := layer.integers("pads"):
            own["pads"] = (pads[index], pads[index + rank])
        part = replace(layer, attributes={**layer.attributes, **own})
        yield index + 2, window_of(part, kernel[index : index + 1], (1, size))


def _kernel(layer: Layer, rank: int) -> tuple[int, ...]:
    kernel = layer.integers("kernel_shape")
    if kernel is None or len(kernel) != rank or rank < 1:
        raise RefusalError(f"{layer.op} has a kernel {kernel} over {rank} image axes")
    return kernel
