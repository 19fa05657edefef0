"""What a network gives a small GPU to do, in the three numbers that its latency follows."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from math import prod

from tinyflow.ir import Graph, Op

# Runtimes without a kernel for these run the operators of ONNX's operator set 13 for them; moves of
# data are not counted.
_PARTS = {
    Op.LAYER_NORM: 9,  # two means, difference, square, sum, root, quotient, scale, shift
    Op.CROSS_COVARIANCE: 10,  # two L2 norms of three, two products, temperature, softmax
    Op.ATTENTION: 4,  # two products, scale, softmax
    Op.L2_NORM: 3,
}

_FUSED = {
    *(Op.ABS, Op.ADD, Op.CLAMP, Op.DIV, Op.ERF, Op.EXP, Op.FUNCTION, Op.GELU, Op.HARD_SIGMOID),
    *(Op.HARD_SWISH, Op.LEAKY_RELU, Op.LOG, Op.MAXIMUM, Op.MINIMUM, Op.MUL, Op.POWER, Op.PRELU),
    *(Op.SIGMOID, Op.SUB, Op.TANH),
}
"""Elementwise: part of the kernel before them."""

_MOVES = {Op.CONCAT, Op.PAD, Op.RESHAPE, Op.SLICE, Op.TRANSPOSE}


@dataclass(frozen=True)
class Work:
    """``launches`` of kernels, floating-point operations (two for each multiply-accumulate), and
    elements that layer normalizations read and write once, for one input."""

    launches: int
    flops: int
    norm_elements: int

    @property
    def amounts(self) -> tuple[float, ...]:
        return tuple(float(value) for value in astuple(self))


def work_of(graph: Graph) -> Work:
    """Of a canonical float graph."""
    launches = flops = elements = 0
    for node in graph.nodes:
        flops += 2 * graph.macs(node)
        if node.op not in _FUSED and node.op not in _MOVES:
            launches += _PARTS.get(node.op, 1)
        if node.op is Op.LAYER_NORM:
            elements += 2 * prod(graph.result(node).shape)
    return Work(launches, flops, elements)
