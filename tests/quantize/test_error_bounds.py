"""Every operation, in both roundings, against float64 arithmetic on the dequantized operands."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from tests.support.random_graphs import ALL_OPS, quantized_graphs, random_graph, random_inputs
from tinyflow.ir import OPS, Graph, Node, Op, Rounding, Tensor
from tinyflow.quantize.reference import run_reference

# In codes. One final rounding is 0.5; a rounded shift after a rounded product is 1 at most.
BOUND = 1.01
LARGER = {
    Op.HARD_SWISH: 3.0,  # 16-bit factors
    Op.RESIZE_BILINEAR: 3.5,  # positions in steps of 1/1024, up to 9 of them added up
    Op.ADD: 1.1,
    Op.SUB: 1.1,
}
ONE_ROUNDING = {
    Op.AVERAGE_POOL,
    Op.ABS,
    Op.CHANNEL_GATE,
    Op.CLAMP,
    Op.CONV_2D,
    Op.DEPTHWISE_CONV_2D,
    Op.ERF,
    Op.EXP,
    Op.FULLY_CONNECTED,
    Op.FUNCTION,
    Op.GELU,
    Op.HARD_SIGMOID,
    Op.LAYER_NORM,
    Op.LEAKY_RELU,
    Op.LOG,
    Op.MEAN,
    Op.MUL,
    Op.POWER,
    Op.PRELU,
    Op.QUANTIZE,
    Op.TRANSPOSE_CONV_2D,
}
"""With single rounding these are as near as an integer can be."""


def real(tensor: Tensor, codes: np.ndarray) -> np.ndarray:
    quant = tensor.params
    shape = [1] * codes.ndim
    if quant.axis is not None:
        shape[quant.axis] = -1
    scales, zeros = np.array(quant.scales), np.array(quant.zero_points)
    return (codes.astype(np.float64) - zeros.reshape(shape)) * scales.reshape(shape)


def worst_error(graph: Graph, node: Node, seen: dict[str, np.ndarray]) -> float:
    """The largest distance in codes between a node's output and its float64 result, if any."""
    operands = []
    for tensor in graph.operands(node):
        codes = tensor.data if tensor.data is not None else seen[tensor.name]
        operands.append(codes if tensor.quant is None else real(tensor, codes))
    result = graph.result(node)
    with np.errstate(all="ignore"):
        exact = OPS[node.op].evaluate(node.attrs, *operands) / result.params.scale
    info = np.iinfo(result.dtype.numpy)
    exact = np.clip(exact + result.params.zero_point, info.min, info.max)
    errors = np.abs(seen[node.output] - exact)
    return float(errors[~np.isnan(exact)].max(initial=0.0))


def check(graph: Graph, seed: int = 0) -> None:
    inputs = random_inputs(graph, 5, seed)
    seen: dict[str, np.ndarray] = {}
    run_reference(graph, inputs, lambda name, array: seen.update({name: array}))
    for node in graph.nodes:
        bound = LARGER.get(node.op, BOUND)
        if graph.rounding is Rounding.SINGLE and node.op in ONE_ROUNDING:
            bound = 0.501
        assert worst_error(graph, node, seen) <= bound, f"{node}\n{graph}"


@pytest.mark.parametrize("rounding", Rounding, ids=lambda r: r.value)
@pytest.mark.parametrize("op", ALL_OPS, ids=lambda op: op.value)
def test_operation_is_near_its_float_result(op, rounding):
    for seed in range(30):
        check(random_graph(seed, (op,), 2, rounding), seed)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(quantized_graphs())
def test_graphs_are_near_their_float_results(graph):
    check(graph)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(quantized_graphs(rounding=Rounding.SINGLE))
def test_graphs_with_single_rounding_are_near_their_float_results(graph):
    check(graph)
