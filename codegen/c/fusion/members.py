"""Which layers a fused step may hold, and how each of them goes along."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tinyflow.codegen.c.ops.conv2d import is_pointwise
from tinyflow.codegen.schedule import find_view
from tinyflow.ir import OPS, DType, Graph, Node, Op, Tensor

_RANKS = (3, 4)


def positions(tensor: Tensor) -> int:
    """Vectors of channels in a tensor."""
    return tensor.elements // tensor.shape[-1]


def is_cut(graph: Graph, node: Node, name: str) -> bool:
    """Whether a position of the node's result needs only some of an operand. Constants and
    vectors that serve all positions are needed whole."""
    tensor = graph.tensors[name]
    return not tensor.is_constant and (positions(tensor) > 1 or positions(graph.result(node)) == 1)


def goes_by_positions(graph: Graph, node: Node) -> bool:
    """Whether each position of the result depends on the same position of its operands alone."""
    rule = _BY_POSITION.get(node.op)
    if rule is None or len(graph.result(node).shape) not in _RANKS:
        return False
    count = positions(graph.result(node))
    cut = [graph.tensors[name] for name in node.inputs if is_cut(graph, node, name)]
    rank = len(graph.result(node).shape)
    same = all(positions(t) == count and len(t.shape) == rank for t in cut)
    return bool(cut) and same and rule(graph, node)


def slides(graph: Graph, node: Node) -> bool:
    """Whether each row of the result depends on a few neighbouring rows of the first operand."""
    rule = _BY_WINDOWS.get(node.op)
    return rule is not None and rule(graph, node)


def window_of(graph: Graph, node: Node) -> tuple[int, int, int]:
    """Kernel, stride and padding above, in rows, of a node that slides."""
    attrs: Any = node.attrs
    if node.op in (Op.MAX_POOL, Op.AVERAGE_POOL):
        kernel = attrs.kernel[0]
    else:
        kernel = graph.operands(node)[1].shape[1]
    return kernel, attrs.strides[0], attrs.padding[0][0]


def reads_all_rows(graph: Graph, node: Node) -> bool:
    """Whether the last windows of a node that slides reach the last row of its operand."""
    kernel, stride, pad = window_of(graph, node)
    last = (graph.result(node).shape[1] - 1) * stride - pad + kernel
    return last >= graph.operands(node)[0].shape[1]


def _always(graph: Graph, node: Node) -> bool:
    return True


def _constants_are_vectors(graph: Graph, node: Node) -> bool:
    """Constants with a value for every position would have to be cut as well."""
    return all(positions(t) == 1 for t in graph.operands(node) if t.is_constant)


def _joins_channels(graph: Graph, node: Node) -> bool:
    attrs: Any = node.attrs
    if any(t.is_constant for t in graph.operands(node)):
        return False
    return bool(attrs.axis == len(graph.result(node).shape) - 1)


def _slices_channels(graph: Graph, node: Node) -> bool:
    """A slice that is a view costs nothing where it is."""
    attrs: Any = node.attrs
    if find_view(graph, node) is not None:
        return False
    x, result = graph.operands(node)[0].shape, graph.result(node).shape
    return x[:-1] == result[:-1] and not any(attrs.begin[:-1])


def _is_convolution(graph: Graph, node: Node) -> bool:
    attrs: Any = node.attrs
    kernel, stride, pad = window_of(graph, node)
    below = attrs.padding[0][1]
    return (
        attrs.dilations[0] == 1
        and kernel >= stride
        and max(pad, below) < kernel
        and graph.operands(node)[0].dtype is DType.INT8
        and not graph.operands(node)[0].is_constant
    )


def _is_pool(graph: Graph, node: Node) -> bool:
    """Padding of a pool is no value, so that the border cannot be filled with it."""
    attrs: Any = node.attrs
    kernel, stride, _ = window_of(graph, node)
    return (
        attrs.padding[0] == (0, 0)
        and kernel >= stride
        and graph.operands(node)[0].dtype is DType.INT8
    )


_BY_POSITION: Mapping[Op, Callable[[Graph, Node], bool]] = {
    **{op: _always for op, spec in OPS.items() if spec.unary},
    Op.ADD: _constants_are_vectors,
    Op.CHANNEL_GATE: _always,
    Op.CLAMP: _always,
    Op.CONCAT: _joins_channels,
    Op.CONV_2D: is_pointwise,
    Op.FULLY_CONNECTED: _always,
    Op.LAYER_NORM: _always,
    Op.MAXIMUM: _constants_are_vectors,
    Op.MINIMUM: _constants_are_vectors,
    Op.MUL: _constants_are_vectors,
    Op.PRELU: _constants_are_vectors,
    Op.QUANTIZE: _always,
    Op.SLICE: _slices_channels,
    Op.SOFTMAX: _always,
    Op.SUB: _constants_are_vectors,
}
_BY_WINDOWS: Mapping[Op, Callable[[Graph, Node], bool]] = {
    Op.AVERAGE_POOL: _is_pool,
    Op.CONV_2D: _is_convolution,
    Op.DEPTHWISE_CONV_2D: _is_convolution,
    Op.MAX_POOL: _is_pool,
}
