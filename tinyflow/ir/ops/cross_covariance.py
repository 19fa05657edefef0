"""CROSS_COVARIANCE: attention of EdgeNeXt, between the channels of a head instead of tokens.

With q, k, v of a head as [d, n] (channels, tokens), ``softmax(t * norm(q) norm(k)^T) v``, where
norm divides each channel by its Euclidean norm over the tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.l2_norm import L2NormAttrs
from tinyflow.ir.ops.l2_norm import evaluate as normalize
from tinyflow.ir.ops.spec import OpSpec, ShapeError
from tinyflow.ir.ops.tokens import join_heads, need_heads, split_heads, token_shape
from tinyflow.ir.tensor import Shape


@dataclass(frozen=True)
class CrossCovarianceAttrs(Attrs):
    """``epsilon`` is the least norm by which is divided."""

    heads: int = 1
    epsilon: float = 1e-12


def infer(attrs: CrossCovarianceAttrs, q: Shape, k: Shape, v: Shape, temperature: Shape) -> Shape:
    """q, k, v [1, n, c] or [1, h, w, c]; temperature [heads]."""
    if len({token_shape(x, "operand") for x in (q, k, v)}) > 1:
        raise ShapeError(f"queries {list(q)}, keys {list(k)} and values {list(v)} do not fit")
    need_heads(q[-1], attrs.heads, "queries")
    if temperature != (attrs.heads,):
        raise ShapeError(f"its temperature {list(temperature)} is not [{attrs.heads}]")
    return q


def evaluate(
    attrs: CrossCovarianceAttrs,
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    temperature: np.ndarray,
) -> np.ndarray:
    queries, keys, values = (split_heads(x, attrs.heads).swapaxes(-1, -2) for x in (q, k, v))
    norm = L2NormAttrs(attrs.epsilon)
    products = normalize(norm, queries) @ normalize(norm, keys).swapaxes(-1, -2)
    scores = products * temperature.astype(q.dtype)[:, None, None]
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    mixed = (powers / powers.sum(axis=-1, keepdims=True)) @ values
    return join_heads(mixed.swapaxes(-1, -2), q.shape)


def macs(attrs: CrossCovarianceAttrs, inputs: Sequence[Shape], output: Shape) -> int:
    tokens, channels = token_shape(output, "result")
    return 2 * tokens * channels * (channels // attrs.heads)


SPEC = OpSpec(
    Op.CROSS_COVARIANCE,
    CrossCovarianceAttrs,
    ("q", "k", "v", "temperature"),
    infer,
    evaluate,
    macs,
    real_constants=True,
)
