"""Which bytes a result may share with the first operand, for kernels that compute row after row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinyflow.codegen.schedule import Overlap, Span, rising_distance
from tinyflow.ir import Graph, Node, as_nhwc


def overlap_by_rows(
    graph: Graph, node: Node, reads: Sequence[Span], read_first: bool = False
) -> Overlap:
    """Of a kernel that may read rows ``reads[y]`` of its first operand until row y of the result
    is complete; with ``read_first``, until it begins to write that row. Rows may lie outside."""
    operand, result = graph.operands(node)[0], graph.result(node)
    _, height, width, channels = as_nhwc(operand.shape)
    _, out_height, out_width, out_channels = as_nhwc(result.shape)
    bytes_in = width * channels * operand.dtype.itemsize
    bytes_out = out_width * out_channels * result.dtype.itemsize
    inside = [(max(begin, 0), min(end, height)) for begin, end in reads]
    return Overlap(
        rising_distance(
            [(begin * bytes_in, max(begin, end) * bytes_in) for begin, end in inside],
            [(y * bytes_out, (y + 1) * bytes_out) for y in range(out_height)],
            operand.nbytes,
            read_first,
        )
    )


def window_rows(graph: Graph, node: Node, kernel: int) -> list[Span]:
    """The rows of each window, those between its taps included."""
    attrs: Any = node.attrs
    reach = (kernel - 1) * getattr(attrs, "dilations", (1, 1))[0] + 1
    begins = [
        y * attrs.strides[0] - attrs.padding[0][0] for y in range(graph.result(node).shape[1])
    ]
    return [(begin, begin + reach) for begin in begins]
