"""CROSS_COVARIANCE: norms, scores, shares and means in 16 bits; heads are moved in 8."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.codegen.tflite.lowering.chain import Chain, Value
from tinyflow.ir import Node
from tinyflow.ir.ops.tokens import token_shape


def lower_cross_covariance(chain: Chain, node: Node) -> None:
    """A channel's norm is the root of its mean square times the number of tokens: both norms
    together take ``1 / tokens``, which goes with the temperature."""
    attrs: Any = node.attrs
    result = chain.writer.graph.result(node)
    tokens, _ = token_shape(result.shape, "result")
    temperature = chain.writer.graph.operands(node)[3].value.astype(np.float64)
    q, k, v = (_heads(chain, chain.operand(i), attrs.heads) for i in range(3))
    floor = attrs.epsilon**2 / tokens
    by_head = chain.constant(temperature.reshape(-1, 1, 1) / tokens)
    queries = chain.multiply(q, chain.multiply(_inverse_norm(chain, q, floor), by_head))
    keys = chain.multiply(k, _inverse_norm(chain, k, floor))
    shares = chain.softmax(chain.matmul(queries, keys, transpose_b=True))
    mixed = chain.narrowed(chain.matmul(shares, v, ends=True))
    chain.reshape(chain.transpose(mixed, (0, 3, 1, 2)), result.shape, last=True)


def _inverse_norm(chain: Chain, x: Value, floor: float) -> Value:
    """[1, heads, d, 1]: one over the root of each channel's mean square."""
    squares = chain.mean(chain.multiply(x, x), 3)
    return chain.inverse_root(chain.at_least(squares, floor), x)


def _heads(chain: Chain, x: Value, heads: int) -> Value:
    """[1, heads, d, tokens], in 16 bits."""
    tokens, channels = token_shape(x.shape, "operand")
    split = chain.reshape(x, (1, tokens, heads, channels // heads))
    return chain.widened(chain.transpose(split, (0, 2, 3, 1)))
