"""Which rows of their first operand the portable kernels read for each row of the result.

A kernel here computes a row of the result after the other, in the order in which it is asked, and
while it computes one it reads no other rows than those listed: that is what the memory plan relies
on. Within a row it reads and writes in any order. Kernels that work in place, element by element,
need no entry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tinyflow.codegen.c.layer import spread
from tinyflow.codegen.c.ops import attention, cross_covariance
from tinyflow.codegen.c.ops.matmul import reads_all_of_a
from tinyflow.codegen.c.ops.scratch import scratch_bytes
from tinyflow.codegen.schedule import Demand, Overlap, Span, overlap_of_rows
from tinyflow.ir import Graph, Node, Op, as_nhwc
from tinyflow.ir.ops.resize_nearest import source_indices

Reads = Callable[[Graph, Node, int], Sequence[Span]]
"""The rows [begin, end) for each of so many rows of the result; they may reach over the border."""


def _same(graph: Graph, node: Node, height: int) -> list[Span]:
    return [(y, y + 1) for y in range(height)]


def _convolution(graph: Graph, node: Node, height: int) -> list[Span]:
    attrs: Any = node.attrs
    kernel = graph.operands(node)[1].shape[1]
    return _windows(node, height, (kernel - 1) * attrs.dilations[0] + 1)


def _matmul(graph: Graph, node: Node, height: int) -> list[Span]:
    """Of ``a``; ``b`` shares no bytes with the result."""
    if reads_all_of_a(graph, node):
        return [(0, graph.operands(node)[0].shape[1])] * height
    return _same(graph, node, height)


def _pool(graph: Graph, node: Node, height: int) -> list[Span]:
    attrs: Any = node.attrs
    return _windows(node, height, attrs.kernel[0])


def _windows(node: Node, height: int, reach: int) -> list[Span]:
    attrs: Any = node.attrs
    first = -attrs.padding[0][0]
    begins = [first + y * attrs.strides[0] for y in range(height)]
    return [(begin, begin + reach) for begin in begins]


def _transpose_convolution(graph: Graph, node: Node, height: int) -> list[Span]:
    """Row y, counted before cropping, meets input row i through tap y - i * stride."""
    attrs: Any = node.attrs
    kernel, stride = graph.operands(node)[1].shape[1], attrs.strides[0]
    rows = [y + attrs.padding[0][0] for y in range(height)]
    return [(-((kernel - 1 - y) // stride), y // stride + 1) for y in rows]


def _pad(graph: Graph, node: Node, height: int) -> list[Span]:
    attrs: Any = node.attrs
    at_y, _, _ = spread([before for before, _ in attrs.pads], 0)
    return [(y - at_y, y - at_y + 1) for y in range(height)]


def _slice(graph: Graph, node: Node, height: int) -> list[Span]:
    attrs: Any = node.attrs
    begin, _, _ = spread(attrs.begin, 0)
    stride, _, _ = spread(attrs.strides, 1)
    return [(begin + y * stride, begin + y * stride + 1) for y in range(height)]


def _nearest(graph: Graph, node: Node, height: int) -> list[Span]:
    attrs: Any = node.attrs
    rows = source_indices(attrs, graph.operands(node)[0].shape[1], height)
    return [(int(row), int(row) + 1) for row in rows]


def _bilinear(graph: Graph, node: Node, height: int) -> list[Span]:
    form: Any = node.integer
    return [(int(lo), int(hi) + 1) for lo, hi in zip(form.y_lo, form.y_hi, strict=True)]


def _labels(graph: Graph, node: Node, height: int) -> list[Span]:
    form: Any = node.integer
    if form.resize is None:
        return _same(graph, node, height)
    return [
        (int(lo), int(hi) + 1) for lo, hi in zip(form.resize.y_lo, form.resize.y_hi, strict=True)
    ]


READS: dict[Op, Reads] = {
    Op.ARGMAX: _labels,
    Op.AVERAGE_POOL: _pool,
    Op.CONV_2D: _convolution,
    Op.DEPTHWISE_CONV_2D: _convolution,
    Op.FULLY_CONNECTED: _same,
    Op.MATMUL: _matmul,
    Op.MAX_POOL: _pool,
    Op.PAD: _pad,
    Op.RESIZE_BILINEAR: _bilinear,
    Op.RESIZE_NEAREST: _nearest,
    Op.SLICE: _slice,
    Op.TRANSPOSE_CONV_2D: _transpose_convolution,
}


OVERLAPS: dict[Op, Callable[[Graph, Node], Overlap]] = {
    Op.ATTENTION: attention.overlap,
}
"""Of kernels that keep to a finer order than that of rows."""


def find_overlap(graph: Graph, node: Node) -> Overlap | None:
    """Of a node's portable kernel; None where its order is not one of rows, or is unknown
    before the node has its integers."""
    if node.op in OVERLAPS:
        return OVERLAPS[node.op](graph, node)
    if node.op not in READS or (node.op is Op.RESIZE_BILINEAR and node.integer is None):
        return None
    operand, result = graph.operands(node)[0], graph.result(node)
    _, in_height, in_width, in_channels = as_nhwc(operand.shape)
    _, height, width, channels = as_nhwc(result.shape)
    return overlap_of_rows(
        READS[node.op](graph, node, height),
        in_width * in_channels * operand.dtype.itemsize,
        width * channels * result.dtype.itemsize,
        in_height,
    )


def demand(graph: Graph, node: Node) -> Demand:
    """What a node's portable kernel asks of the memory plan."""
    if node.op is Op.CROSS_COVARIANCE:
        return cross_covariance.demand(graph, node)
    return Demand(scratch_bytes(graph, node), overlap=find_overlap(graph, node))
