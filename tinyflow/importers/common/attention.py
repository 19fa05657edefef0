"""softmax(scale * q k^T) v as plain layers, the one form that passes look for."""

from __future__ import annotations

from tinyflow.importers.common.axes import softmax_of
from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.elementwise import binary
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.products import product_of
from tinyflow.importers.common.views import reshape_to
from tinyflow.ir import Op


def attention(layer: Layer, builder: Builder, q: Value, k: Value, v: Value, scale: float) -> Value:
    """q [..., n, c], k [..., m, c], v [..., m, e] -> [..., n, e]."""
    scores = product_of(layer, builder, q, k, "scores", transpose_b=True)
    if scale != 1.0:
        scores = binary(layer, builder, Op.MUL, (scores, scale), "scaled")
    weights = softmax_of(layer, builder, scores, -1, "softmax")
    return product_of(layer, builder, weights, v)


def grouped_attention(
    layer: Layer, builder: Builder, q: Value, k: Value, v: Value, scale: float
) -> Value:
    """As `attention`, of q [n, g * heads, ...] with k and v [n, heads, ...]: g neighbouring heads
    of queries read the same keys and values, as if they were more queries of one head."""
    if len(q.shape) != 4:
        return attention(layer, builder, q, k, v, scale)
    batch, heads, tokens, width = q.shape
    own = k.shape[1]
    if heads == own:
        return attention(layer, builder, q, k, v, scale)
    if heads % own:
        raise RefusalError(f"{heads} heads of queries do not split over {own} heads of keys")
    rows = (batch, own, heads // own * tokens, width)
    y = attention(layer, builder, reshape_to(layer, builder, q, rows, "grouped"), k, v, scale)
    return reshape_to(layer, builder, y, (batch, heads, tokens, v.shape[-1]), "ungrouped")
