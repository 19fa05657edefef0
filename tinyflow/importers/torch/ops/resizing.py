"""upsample_nearest and upsample_bilinear."""

from __future__ import annotations

import numpy as np

from tinyflow.importers.common.builder import Builder
from tinyflow.importers.common.images import spatial_rank, to_nhwc, to_source
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.ir import Op
from tinyflow.ir.ops.resize import ResizeAttrs
from tinyflow.ir.ops.resize_nearest import source_indices


def convert_nearest(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """1-D and 2-D, to a constant size; a stated factor has to give it exactly."""
    x, rank, size = _image(layer, builder)
    attrs = ResizeAttrs(size, False, False)
    for before, after in zip(builder.shape(x)[1:3], size, strict=True):
        wanted = np.floor(np.arange(after) * (before / after) + 1e-9).astype(int)
        if not np.array_equal(source_indices(attrs, before, after), wanted):
            raise RefusalError(f"{layer.op} from {before} to {after} is not supported")
    return (to_source(layer, builder, builder.emit(layer, Op.RESIZE_NEAREST, (x,), attrs), rank),)


def convert_bilinear(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """1-D and 2-D, to a constant size, with align_corners or half-pixel centres; a stated factor
    has to give the size exactly."""
    x, rank, size = _image(layer, builder)
    corners = layer.flag("align_corners")
    attrs = ResizeAttrs(size, corners, not corners)
    return (to_source(layer, builder, builder.emit(layer, Op.RESIZE_BILINEAR, (x,), attrs), rank),)


def _image(layer: Layer, builder: Builder) -> tuple[str, int, tuple[int, int]]:
    """The image channels-last, its number of axes, and the wanted size."""
    rank = spatial_rank(layer, builder, builder.activation(layer))
    x = to_nhwc(layer, builder, builder.activation(layer))
    shape = layer.shapes[0]
    size = (1, shape[2]) if rank == 1 else (shape[2], shape[3])
    own = builder.shape(x)[1:3]
    for factor, before, after in zip(_factors(layer, rank), own, size, strict=True):
        if factor is not None and abs(factor * before - after) > 1e-6 * after:
            raise RefusalError(
                f"{layer.op} by {factor:g} makes {before} to {after}, which is not that factor",
                "give the size instead of the factor",
            )
    return x, rank, size


def _factors(layer: Layer, rank: int) -> list[float | None]:
    """What the source states for rows and columns."""
    stated = layer.attributes.get("scale_factors")
    if stated is None:
        stated = [layer.attributes.get(name) for name in ("scales_h", "scales_w", "scales")]
        stated = stated[:2] if rank == 2 else stated[2:]
    return [None, *stated] if rank == 1 else list(stated)
