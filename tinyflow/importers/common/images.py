"""Takes channels-first images to the graph's channels-last form and back.

A signal [n, c, l] is an image of height 1.
"""

from __future__ import annotations

from tinyflow.importers.common.builder import TO_NCHW, TO_NHWC, Builder
from tinyflow.importers.common.layer import Layer, RefusalError


def spatial_rank(layer: Layer, builder: Builder, x: str) -> int:
    """The number of image axes, 1 or 2; anything else is refused."""
    rank = len(builder.shape(x)) - 2
    if rank not in (1, 2):
        raise RefusalError(
            f"{layer.op} over {max(rank, 0)} image axes is not supported",
            "1-D signals [n, c, l] and 2-D images [n, c, h, w] are",
        )
    return rank


def to_nhwc(layer: Layer, builder: Builder, x: str) -> str:
    """[n,c,h,w] -> [n,h,w,c], or [n,c,l] -> [n,1,l,c]."""
    if spatial_rank(layer, builder, x) == 2:
        return builder.transpose(layer, x, TO_NHWC, "to_nhwc")
    tokens = builder.transpose(layer, x, (0, 2, 1), "to_nlc")
    batch, length, channels = builder.shape(tokens)
    return builder.reshape(layer, tokens, (batch, 1, length, channels), "to_image")


def to_source(layer: Layer, builder: Builder, y: str, rank: int) -> str:
    """The inverse of `to_nhwc` for a result; ``rank`` is the number of image axes."""
    if rank == 2:
        return builder.transpose(layer, y, TO_NCHW, "to_nchw")
    batch, _, length, channels = builder.shape(y)
    tokens = builder.reshape(layer, y, (batch, length, channels), "from_image")
    return builder.transpose(layer, tokens, (0, 2, 1), "to_ncl")
