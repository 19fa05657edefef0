"""ATTENTION: scores, shares and means in 16 bits; heads are moved in 8."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.tflite.lowering.chain import Chain, Value
from tinyflow.ir import Node
from tinyflow.ir.ops.tokens import token_shape


def lower_attention(chain: Chain, node: Node) -> None:
    attrs: Any = node.attrs
    q, k, v = (_heads(chain, chain.operand(i), attrs.heads) for i in range(3))
    shares = chain.softmax(chain.matmul(q, k, transpose_b=True), attrs.scale)
    mixed = chain.narrowed(chain.matmul(shares, v, ends=True))
    shape = chain.writer.graph.result(node).shape
    chain.reshape(chain.transpose(mixed, (0, 2, 1, 3)), shape, last=True)


def _heads(chain: Chain, x: Value, heads: int) -> Value:
    """[1, heads, tokens, d], in 16 bits."""
    tokens, channels = token_shape(x.shape, "operand")
    split = chain.reshape(x, (1, tokens, heads, channels // heads))
    return chain.widened(chain.transpose(split, (0, 2, 1, 3)))
