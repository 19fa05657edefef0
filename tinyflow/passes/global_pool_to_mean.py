"""Turns an average over the whole image into a MEAN, which has an output scale of its own."""

from __future__ import annotations

from dataclasses import replace

from tinyflow.ir import Graph, GraphEditor, Node, Op, Tensor
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.ir.ops.spatial import NO_PADDING


def global_pool_to_mean(graph: Graph) -> tuple[Graph, bool]:
    """AVERAGE_POOL whose one window is the whole image -> MEAN that keeps its axes.

    In int8 an AVERAGE_POOL shares the scale of its input, although averages span a much smaller
    range than pixels. A fused activation becomes a CLAMP. Quantized nodes stay as they are.
    """
    editor = GraphEditor(graph)
    found = [node for node in graph.nodes if _is_global(graph, node)]
    for node in found:
        editor.replace_node(node, *_means(editor, node))
    return (editor.build(), True) if found else (graph, False)


def _is_global(graph: Graph, node: Node) -> bool:
    if not isinstance(node.attrs, PoolAttrs) or node.op is not Op.AVERAGE_POOL:
        return False
    x, y = graph.operands(node)[0], graph.result(node)
    one_window = node.attrs.kernel == x.shape[1:3] and y.shape[1:3] == (1, 1)
    return one_window and node.attrs.padding == NO_PADDING and y.quant is None


def _means(editor: GraphEditor, node: Node) -> tuple[Node, ...]:
    assert isinstance(node.attrs, PoolAttrs)
    mean = replace(node, op=Op.MEAN, attrs=MeanAttrs(axes=(1, 2), keep_dims=True))
    if node.attrs.clamp.is_identity:
        return (mean,)
    y = editor.tensors[node.output]
    inner = editor.add_tensor(Tensor(f"{y.name}_mean", y.shape, y.dtype))
    clamp = Node(
        editor.unique_node(f"{node.name}_clamp"),
        Op.CLAMP,
        (inner,),
        node.outputs,
        ClampAttrs(node.attrs.clamp),
        node.sources,
    )
    return (replace(mean, outputs=(inner,)), clamp)
