"""GlobalAveragePool, GlobalMaxPool and GlobalLpPool."""

from __future__ import annotations

from tinyflow.importers.common.axes import mean_of, sum_of
from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.elementwise import unary_of
from tinyflow.importers.common.images import to_nhwc, to_source
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.powers import magnitude_power
from tinyflow.importers.common.reductions import max_of
from tinyflow.ir import Op
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.ir.ops.power import PowerAttrs


def convert_global_average_pool(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over any number of image axes; becomes a mean, which has a scale of its own in int8."""
    x = builder.value(layer)
    return (mean_of(layer, builder, x, _image_axes(layer, x), keep=True),)


def convert_global_max_pool(layer: Layer, builder: Builder) -> tuple[str | Value, ...]:
    """Over any number of image axes."""
    value = builder.value(layer)
    axes = _image_axes(layer, value)
    if len(axes) > 2 or value.shape[0] != 1:
        return (max_of(layer, builder, value, axes, keep=True),)
    x = to_nhwc(layer, builder, builder.activation(layer))
    _, height, width, _ = builder.shape(x)
    y = builder.emit(layer, Op.MAX_POOL, (x,), PoolAttrs((height, width)))
    return (to_source(layer, builder, y, len(axes)),)


def convert_global_lp_pool(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over any number of image axes, with any p of at least 1: powers, their sum, and the root."""
    p, x = layer.integer("p", 2), builder.value(layer)
    powers = magnitude_power(layer, builder, x, p)
    total = sum_of(layer, builder, powers, _image_axes(layer, x), True)
    return (unary_of(layer, builder, Op.POWER, total, PowerAttrs(1 / p)) if p != 1 else total,)


def _image_axes(layer: Layer, x: Value) -> tuple[int, ...]:
    if len(x.shape) < 3:
        raise RefusalError(f"{layer.op} of {list(x.shape)}, which is no image")
    return tuple(range(2, len(x.shape)))
