"""Attention."""

from __future__ import annotations

from tinyflow.importers.common.attention import grouped_attention
from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.views import reshape_to, transpose_to


def convert_attention(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Queries, keys and values of rank 3 or 4, grouped queries too; any scale; no mask, no window,
    no cache of keys and no softcap."""
    if layer.integer("is_causal", 0) or any(layer.has(i) for i in range(3, len(layer.inputs))):
        raise RefusalError("Attention with a mask or a cache is not supported")
    if any(layer.integer(f"{side}_window_size", -1) >= 0 for side in ("left", "right")):
        raise RefusalError("Attention within a window of tokens is not supported")
    if any(layer.outputs[1:]) or layer.number("softcap", 0.0) != 0.0:
        raise RefusalError("Attention with softcap or with more than one output is not supported")
    q, k, v = (builder.value(layer, i) for i in range(3))
    flat = len(q.shape) == 3
    if flat:
        heads = layer.integer("q_num_heads", 1), layer.integer("kv_num_heads", 1)
        q, k, v = (
            _heads_first(layer, builder, x, count, name)
            for x, count, name in ((q, heads[0], "q"), (k, heads[1], "k"), (v, heads[1], "v"))
        )
    scale = layer.number("scale", q.shape[-1] ** -0.5)
    y = grouped_attention(layer, builder, q, k, v, scale)
    if not flat:
        return (y,)
    merged = transpose_to(layer, builder, y, (0, 2, 1, 3), "heads_last")
    batch, tokens, count, width = merged.shape
    return (reshape_to(layer, builder, merged, (batch, tokens, count * width), "joined"),)


def _heads_first(layer: Layer, builder: Builder, x: Value, heads: int, name: str) -> Value:
    """[n, tokens, heads * c] -> [n, heads, tokens, c]."""
    batch, tokens, channels = x.shape
    if channels % heads:
        raise RefusalError(f"{channels} channels do not split in {heads} heads")
    parted = reshape_to(
        layer, builder, x, (batch, tokens, heads, channels // heads), f"{name}/parted"
    )
    return transpose_to(layer, builder, parted, (0, 2, 1, 3), f"{name}/heads_first")
