"""Turns the pooling of token sequences into a MEAN, which has an output scale of its own."""

from __future__ import annotations

from dataclasses import replace

from tinyflow.ir import Graph, GraphEditor, Node, Op, Shape, Tensor
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.slice import SliceAttrs
from tinyflow.ir.ops.spatial import NO_PADDING


def pool_tokens(graph: Graph) -> tuple[Graph, bool]:
    """AVERAGE_POOL over pixels of one row or column, windows side by side -> SLICE of the pixels
    that windows see, where some are left over, RESHAPE to [1, windows, kernel, c], MEAN.

    Only where the row is an image or a sequence of tokens under another shape: pooling in a
    network for signals stays what it is.
    """
    editor = GraphEditor(graph)
    found = [node for node in graph.nodes if _is_pool_of_tokens(graph, node)]
    for node in found:
        editor.replace_node(node, *_mean(editor, node))
    return (editor.build(), True) if found else (graph, False)


def _is_pool_of_tokens(graph: Graph, node: Node) -> bool:
    attrs = node.attrs
    if node.op is not Op.AVERAGE_POOL or not isinstance(attrs, PoolAttrs):
        return False
    x, y = graph.operands(node)[0], graph.result(node)
    along = [axis for axis in (1, 2) if x.shape[axis] > 1]
    above = graph.producer(x.name)
    return (
        len(along) == 1
        and attrs.kernel == attrs.strides
        and attrs.kernel[2 - along[0]] == 1
        and attrs.padding == NO_PADDING
        and attrs.clamp.is_identity
        and attrs.kernel[along[0] - 1] < x.shape[along[0]]
        and y.quant is None
        and above is not None
        and above.op is Op.RESHAPE
    )


def _mean(editor: GraphEditor, node: Node) -> list[Node]:
    graph, attrs = editor.graph, node.attrs
    assert isinstance(attrs, PoolAttrs)
    x, y = graph.operands(node)[0], graph.result(node)
    kernel, windows = attrs.kernel[0] * attrs.kernel[1], y.shape[1] * y.shape[2]
    channels = x.shape[3]
    new: list[Node] = []
    name = x.name

    def add(op: Op, attrs: SliceAttrs | ReshapeAttrs, shape: Shape, suffix: str) -> str:
        tensor = editor.add_tensor(Tensor(f"{y.name}/{suffix}", shape, y.dtype))
        label = editor.claim_node(f"{node.name}/{suffix}")
        new.append(Node(label, op, (name,), (tensor,), attrs, node.sources))
        return tensor

    if windows * kernel < x.elements // channels:
        row = (1, 1, x.elements // channels, channels)
        seen = (1, 1, windows * kernel, channels)
        name = add(Op.RESHAPE, ReshapeAttrs(row), row, "row") if x.shape != row else name
        name = add(Op.SLICE, SliceAttrs((0, 0, 0, 0), seen, (1, 1, 1, 1)), seen, "seen")
    apart = (1, windows, kernel, channels)
    name = add(Op.RESHAPE, ReshapeAttrs(apart), apart, "windows")
    mean = replace(node, op=Op.MEAN, inputs=(name,), attrs=MeanAttrs((2,), keep_dims=False))
    tokens = editor.add_tensor(Tensor(f"{y.name}/tokens", (1, windows, channels), y.dtype))
    new.append(replace(mean, outputs=(tokens,)))
    label = editor.claim_node(f"{node.name}/restored")
    new.append(Node(label, Op.RESHAPE, (tokens,), (y.name,), ReshapeAttrs(y.shape), node.sources))
    return new
