"""Which rows of an operand each row of a result depends on, by the definition of the operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyflow.ir import Graph, Node, Op
from tinyflow.ir.ops.resize_nearest import source_indices

Rows = tuple[int, int]


def _same(node: Node, graph: Graph, y0: int, y1: int) -> Rows:
    return y0, y1


def _window(node: Node, graph: Graph, y0: int, y1: int) -> Rows:
    attrs: Any = node.attrs
    pooled = node.op in (Op.MAX_POOL, Op.AVERAGE_POOL)
    kernel = attrs.kernel[0] if pooled else graph.operands(node)[1].shape[1]
    reach = (kernel - 1) * (1 if pooled else attrs.dilations[0]) + 1
    stride, top = attrs.strides[0], attrs.padding[0][0]
    return y0 * stride - top, (y1 - 1) * stride - top + reach


def _gathered(node: Node, graph: Graph, y0: int, y1: int) -> Rows:
    attrs: Any = node.attrs
    kernel, stride = graph.operands(node)[1].shape[1], attrs.strides[0]
    top = attrs.padding[0][0]
    return -((kernel - 1 - y0 - top) // stride), (y1 - 1 + top) // stride + 1


def _multiplied(node: Node, graph: Graph, y0: int, y1: int) -> Rows:
    """Of the first operand; a transposed matrix has its columns in all rows."""
    attrs: Any = node.attrs
    operand = graph.operands(node)[0].shape
    return (0, operand[1]) if attrs.transpose_a and len(operand) == 3 else (y0, y1)


def _nearest(node: Node, graph: Graph, y0: int, y1: int) -> Rows:
    attrs: Any = node.attrs
    rows = source_indices(attrs, graph.operands(node)[0].shape[1], attrs.size[0])
    return int(rows[y0]), int(rows[y1 - 1]) + 1


def _bilinear(node: Node, graph: Graph, y0: int, y1: int) -> Rows:
    form: Any = node.integer
    return int(form.y_lo[y0]), int(form.y_hi[y1 - 1]) + 1


def _padded(node: Node, graph: Graph, y0: int, y1: int) -> Rows:
    attrs: Any = node.attrs
    return y0 - attrs.pads[1][0], y1 - attrs.pads[1][0]


def _sliced(node: Node, graph: Graph, y0: int, y1: int) -> Rows:
    attrs: Any = node.attrs
    begin, stride = attrs.begin[1], attrs.strides[1]
    return begin + y0 * stride, begin + (y1 - 1) * stride + 1


ROWS_READ: dict[Op, Callable[[Node, Graph, int, int], Rows]] = {
    Op.ADD: _same,
    Op.AVERAGE_POOL: _window,
    Op.CHANNEL_GATE: _same,
    Op.CONCAT: _same,
    Op.CONV_2D: _window,
    Op.DEPTHWISE_CONV_2D: _window,
    Op.FULLY_CONNECTED: _same,
    Op.L2_NORM: _same,
    Op.LAYER_NORM: _same,
    Op.MATMUL: _multiplied,
    Op.MAXIMUM: _same,
    Op.MAX_POOL: _window,
    Op.MINIMUM: _same,
    Op.MUL: _same,
    Op.PAD: _padded,
    Op.PRELU: _same,
    Op.RESIZE_BILINEAR: _bilinear,
    Op.RESIZE_NEAREST: _nearest,
    Op.SIGMOID: _same,
    Op.SLICE: _sliced,
    Op.SOFTMAX: _same,
    Op.SUB: _same,
    Op.TRANSPOSE_CONV_2D: _gathered,
}
"""The operand rows [begin, end) that an operation needs for its result rows [y0, y1), of tensors
with rows, and MATMUL of its first operand; borders not yet cut off. By what the operation means,
whatever a kernel does."""
