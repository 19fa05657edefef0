"""Working memory that CMSIS-NN's kernels ask for, beside what the plain kernels need.

Bounds over its paths for cores without extension, with DSP and with MVE, from the sizes that its
functions ``arm_*_get_buffer_size`` return.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyflow.ir import Graph, Node, Op

_COLUMNS = 4
_LANES = 16
_DEPTHWISE_BLOCK = 124


def scratch_bytes(graph: Graph, node: Node) -> int:
    """The most that the kernel of a node's builtin operator takes."""
    return _BYTES[node.op](graph, node) if node.op in _BYTES else 0


def _convolution(graph: Graph, node: Node) -> int:
    """Columns of the image, each filled up to whole vectors."""
    _, height, width, channels = graph.operands(node)[1].shape
    return _COLUMNS * -(-height * width * channels // _LANES) * _LANES


def _depthwise(graph: Graph, node: Node) -> int:
    _, height, width, channels = graph.operands(node)[1].shape
    return height * width * max(2 * channels, _COLUMNS * _DEPTHWISE_BLOCK)


def _transpose_convolution(graph: Graph, node: Node) -> int:
    """The turned weights with the columns of a convolution, or rows of sums."""
    x, weight = graph.operands(node)[:2]
    attrs: Any = node.attrs
    channels, height, width, _ = weight.shape
    columns = (x.shape[2] - 1) * attrs.strides[1] + max(width, attrs.strides[1])
    rows = max(height, attrs.strides[0])
    return max(weight.nbytes + _convolution(graph, node), 4 * columns * rows * channels)


def _fully_connected(graph: Graph, node: Node) -> int:
    """A sum for each output."""
    return 4 * graph.result(node).shape[-1]


def _average_pool(graph: Graph, node: Node) -> int:
    return 4 * graph.result(node).shape[-1]


def _matmul(graph: Graph, node: Node) -> int:
    """Both operands turned, and a sum for each column."""
    a, b = graph.operands(node)
    return a.nbytes + b.nbytes + 4 * graph.result(node).shape[-1]


_BYTES: dict[Op, Callable[[Graph, Node], int]] = {
    Op.AVERAGE_POOL: _average_pool,
    Op.CONV_2D: _convolution,
    Op.DEPTHWISE_CONV_2D: _depthwise,
    Op.FULLY_CONNECTED: _fully_connected,
    Op.MATMUL: _matmul,
    Op.TRANSPOSE_CONV_2D: _transpose_convolution,
}
