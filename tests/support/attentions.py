"""Quantized attentions of one layer, and what they compute in float64."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.support.graphs import GraphBuilder
from tinyflow.ir import OPS, DType, Graph, Op, QuantParams, Rounding, Shape
from tinyflow.ir.ops.attention import AttentionAttrs
from tinyflow.ir.ops.cross_covariance import CrossCovarianceAttrs
from tinyflow.quantize import attach_integers

SCALES = (0.031, 0.027, 0.04, 0.04)
"""Of queries, keys, values and result."""
ZEROS = (5, -7, 3, -4)


def attention_graph(
    q: Shape,
    k: Shape,
    columns: int,
    attrs: AttentionAttrs,
    scales: Sequence[float] = SCALES,
    zeros: Sequence[int] = ZEROS,
    rounding: Rounding = Rounding.DOUBLE,
) -> Graph:
    """Queries of shape ``q``, keys of shape ``k``, values with so many channels."""
    builder = GraphBuilder()
    result = add_attention(builder, "attention", q, k, columns, attrs, scales, zeros)
    return attach_integers(builder.build(result), rounding)


def add_attention(
    builder: GraphBuilder,
    name: str,
    q: Shape,
    k: Shape,
    columns: int,
    attrs: AttentionAttrs,
    scales: Sequence[float] = SCALES,
    zeros: Sequence[int] = ZEROS,
) -> str:
    """An attention with inputs of its own; its result."""
    quants = [QuantParams.per_tensor(*pair) for pair in zip(scales, zeros, strict=True)]
    operands = [
        builder.input(_free(builder, role), shape, DType.INT8, quant)
        for role, shape, quant in zip("qkv", (q, k, (*k[:-1], columns)), quants, strict=False)
    ]
    return builder.node(Op.ATTENTION, operands, attrs, name, quants[3])


def cross_covariance_graph(
    shape: Shape,
    temperature: Sequence[float],
    scales: Sequence[float] = SCALES,
    zeros: Sequence[int] = ZEROS,
    epsilon: float = 1e-12,
) -> Graph:
    """Queries, keys, values and result of one shape; as many heads as temperatures."""
    builder = GraphBuilder()
    result = add_cross_covariance(builder, "covariance", shape, temperature, scales, zeros, epsilon)
    return attach_integers(builder.build(result))


def add_cross_covariance(
    builder: GraphBuilder,
    name: str,
    shape: Shape,
    temperature: Sequence[float],
    scales: Sequence[float] = SCALES,
    zeros: Sequence[int] = ZEROS,
    epsilon: float = 1e-12,
) -> str:
    """A cross-covariance attention with inputs of its own; its result."""
    quants = [QuantParams.per_tensor(*pair) for pair in zip(scales, zeros, strict=True)]
    operands = [
        builder.input(_free(builder, role), shape, DType.INT8, quant)
        for role, quant in zip("qkv", quants, strict=False)
    ]
    operands.append(builder.constant("temperature", np.array(temperature, np.float32)))
    attrs = CrossCovarianceAttrs(len(temperature), epsilon)
    return builder.node(Op.CROSS_COVARIANCE, operands, attrs, name, quants[3])


def _free(builder: GraphBuilder, role: str) -> str:
    return role if role not in builder.tensors else f"{role}{len(builder.inputs)}"


def in_float64(graph: Graph, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """The result of the graph's only layer, in codes that are not rounded."""
    (node,) = graph.nodes
    operands = []
    for tensor in graph.operands(node):
        if tensor.is_constant:
            operands.append(tensor.value.astype(np.float64))
            continue
        codes = inputs[tensor.name].astype(np.float64) - tensor.params.zero_point
        operands.append(codes * tensor.params.scale)
    params = graph.result(node).params
    real = OPS[node.op].evaluate(node.attrs, *operands)
    return np.clip(real / params.scale + params.zero_point, -128, 127)


def random_codes(graph: Graph, count: int, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        name: rng.integers(-128, 128, (count, *graph.tensors[name].shape[1:]), dtype=np.int8)
        for name in graph.inputs
    }
