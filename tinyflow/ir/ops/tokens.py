"""Shared by the attentions: maps and sequences seen as tokens, channels split into heads."""

from __future__ import annotations

import math

import numpy as np

from tinyflow.ir.ops.spec import ShapeError
from tinyflow.ir.tensor import Shape


def token_shape(shape: Shape, what: str) -> tuple[int, int]:
    """(tokens, channels) of [1, n, c] or [1, h, w, c]."""
    if len(shape) not in (3, 4):
        raise ShapeError(f"its {what} must have rank 3 or 4, not the shape {list(shape)}")
    return math.prod(shape[1:-1]), shape[-1]


def split_heads(x: np.ndarray, heads: int) -> np.ndarray:
    """[batch, ..., heads * d] -> [batch, heads, tokens, d]."""
    tokens = x.reshape(x.shape[0], -1, heads, x.shape[-1] // heads)
    return tokens.transpose(0, 2, 1, 3)


def join_heads(x: np.ndarray, shape: Shape) -> np.ndarray:
    """[batch, heads, tokens, d] -> [batch, *shape[1:]], where ``shape`` ends in heads * d."""
    return x.transpose(0, 2, 1, 3).reshape(x.shape[0], *shape[1:])


def need_heads(channels: int, heads: int, what: str) -> None:
    if heads < 1 or channels % heads:
        raise ShapeError(f"the {channels} channels of its {what} do not split into {heads} heads")
