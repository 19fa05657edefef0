"""Outputs that are indices of the largest channel: no codes, so they stay out of quantization."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tinyflow.ir import DType, Graph, GraphEditor, Node, Op, QuantParams, Tensor, check_graph
from tinyflow.quantize.forms import FORMS
from tinyflow.quantize.site import Site

_BYTES_OF_INDEX = 256


def index_dtype(channels: int) -> DType:
    """The type of an index of one of so many channels."""
    return DType.UINT8 if channels <= _BYTES_OF_INDEX else DType.INT16


def without_labels(graph: Graph) -> tuple[Graph, tuple[Node, ...]]:
    """The graph without each ARGMAX that makes an output, whose operand becomes the output; and
    these nodes."""
    labels = tuple(node for node in graph.nodes if _is_label(graph, node))
    if not labels:
        return graph, ()
    operands = {node.output: node.inputs[0] for node in labels}
    outputs = dict.fromkeys(operands.get(output, output) for output in graph.outputs)
    layouts = {name: perm for name, perm in graph.layouts.items() if name not in operands}
    editor = GraphEditor(replace(graph, outputs=tuple(outputs), layouts=layouts))
    for node in labels:
        editor.remove_node(node)
    return editor.build(), labels


def _is_label(graph: Graph, node: Node) -> bool:
    ends = node.output in graph.outputs and not graph.consumers(node.output)
    return node.op is Op.ARGMAX and ends


def with_labels(graph: Graph, labels: Sequence[Node], original: Graph) -> Graph:
    """The quantized graph with the nodes that `without_labels` has taken from ``original``; an
    index is uint8 up to 256 channels, else int16."""
    rounding = graph.rounding
    assert rounding is not None
    for node in labels:
        dtype = index_dtype(graph.tensors[node.inputs[0]].shape[-1])
        shape = original.tensors[node.output].shape
        result = Tensor(node.output, shape, dtype, QuantParams.per_tensor(1.0))
        graph = replace(graph, tensors={**graph.tensors, node.output: result})
        form = FORMS[node.op](Site.of(graph, node, rounding))
        graph = replace(graph, nodes=(*graph.nodes, replace(node, integer=form)))
    if labels:
        graph = replace(graph, outputs=original.outputs, layouts=original.layouts)
        check_graph(graph, "adding labels")
    return graph
