"""GlobalAveragePool and GlobalMaxPool."""

from __future__ import annotations

from tinyflow.importers.common.builder import Builder
from tinyflow.importers.common.images import spatial_rank, to_nhwc, to_source
from tinyflow.importers.common.layer import Layer
from tinyflow.ir import Op
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.pool import PoolAttrs


def convert_global_average_pool(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """1-D and 2-D; becomes a mean, which has a scale of its own in int8."""
    x = builder.activation(layer)
    axes = tuple(range(2, 2 + spatial_rank(layer, builder, x)))
    return (builder.emit(layer, Op.MEAN, (x,), MeanAttrs(axes, keep_dims=True)),)


def convert_global_max_pool(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """1-D and 2-D."""
    rank = spatial_rank(layer, builder, builder.activation(layer))
    x = to_nhwc(layer, builder, builder.activation(layer))
    _, height, width, _ = builder.shape(x)
    y = builder.emit(layer, Op.MAX_POOL, (x,), PoolAttrs((height, width)))
    return (to_source(layer, builder, y, rank),)
