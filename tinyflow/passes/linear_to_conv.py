"""Turns linear layers over the pixels of a map into pointwise convolutions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinyflow.ir import Graph, GraphEditor, Node, Op, Tensor
from tinyflow.ir.ops.conv2d import Conv2DAttrs


def linear_to_conv(graph: Graph) -> tuple[Graph, bool]:
    """FULLY_CONNECTED with a constant weight on [1, h, w, c], several pixels -> CONV_2D 1x1.

    In graphs that are still float; the weight keeps scales that it was given.
    """
    editor = GraphEditor(graph)
    found = [node for node in graph.nodes if _is_pointwise(graph, node)]
    for node in found:
        attrs: Any = node.attrs
        weight = graph.tensors[node.inputs[1]]
        value = weight.value.reshape(weight.shape[0], 1, 1, weight.shape[1])
        kernel = Tensor.constant(weight.name, value, weight.quant)
        if graph.sole_consumer(weight.name) is not None:
            editor.tensors[weight.name] = kernel
            name = weight.name
        else:
            name = editor.add_tensor(kernel)
        inputs = (node.inputs[0], name, *node.inputs[2:])
        conv = Conv2DAttrs(clamp=attrs.clamp)
        editor.replace_node(node, replace(node, op=Op.CONV_2D, inputs=inputs, attrs=conv))
    return (editor.build(), True) if found else (graph, False)


def _is_pointwise(graph: Graph, node: Node) -> bool:
    if node.op is not Op.FULLY_CONNECTED or graph.result(node).dtype.is_integer:
        return False
    shape = graph.tensors[node.inputs[0]].shape
    constant = all(graph.tensors[name].is_constant for name in node.inputs[1:])
    return constant and len(shape) == 4 and shape[1] * shape[2] > 1
