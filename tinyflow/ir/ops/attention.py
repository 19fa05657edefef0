"""ATTENTION: softmax(scale * q k^T) v for each head; heads lie side by side in the channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spec import OpSpec, ShapeError
from tinyflow.ir.ops.tokens import join_heads, need_heads, split_heads, token_shape
from tinyflow.ir.tensor import Shape


@dataclass(frozen=True)
class AttentionAttrs(Attrs):
    """``scale`` multiplies the products of queries and keys."""

    heads: int = 1
    scale: float = 1.0


def infer(attrs: AttentionAttrs, q: Shape, k: Shape, v: Shape) -> Shape:
    """q [1, n, c] or [1, h, w, c], k [1, m, c], v [1, m, e], as maps too -> q's shape with e."""
    (_, channels), (keys, depth), (values, width) = (
        token_shape(shape, what) for shape, what in ((q, "queries"), (k, "keys"), (v, "values"))
    )
    if channels != depth or keys != values:
        raise ShapeError(f"queries {list(q)}, keys {list(k)} and values {list(v)} do not fit")
    need_heads(channels, attrs.heads, "queries")
    need_heads(width, attrs.heads, "values")
    return (*q[:-1], width)


def evaluate(attrs: AttentionAttrs, q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
    queries, keys, values = (split_heads(x, attrs.heads) for x in (q, k, v))
    scores = np.asarray(attrs.scale, q.dtype) * (queries @ keys.swapaxes(-1, -2))
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    mixed = (powers / powers.sum(axis=-1, keepdims=True)) @ values
    return join_heads(mixed, (*q.shape[:-1], v.shape[-1]))


def macs(attrs: AttentionAttrs, inputs: Sequence[Shape], output: Shape) -> int:
    tokens, channels = token_shape(inputs[0], "queries")
    keys, width = token_shape(inputs[2], "values")
    return tokens * keys * (channels + width)


SPEC = OpSpec(Op.ATTENTION, AttentionAttrs, ("q", "k", "v"), infer, evaluate, macs)
