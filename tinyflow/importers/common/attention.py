"""softmax(scale * q k^T) v as plain layers, the one form that passes look for."""

from __future__ import annotations

from tinyflow.importers.common.axes import softmax_of
from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.elementwise import binary
from tinyflow.importers.common.layer import Layer
from tinyflow.importers.common.products import product_of
from tinyflow.ir import Op


def attention(layer: Layer, builder: Builder, q: Value, k: Value, v: Value, scale: float) -> Value:
    """q [..., n, c], k [..., m, c], v [..., m, e] -> [..., n, e]."""
    scores = product_of(layer, builder, q, k, "scores", transpose_b=True)
    if scale != 1.0:
        scores = binary(layer, builder, Op.MUL, (scores, scale), "scaled")
    weights = softmax_of(layer, builder, scores, -1, "softmax")
    return product_of(layer, builder, weights, v)
