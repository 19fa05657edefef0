"""Turns scales and offsets per channel that are left over into depthwise convolutions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyflow.ir import Graph, GraphEditor, Node, Op, Tensor
from tinyflow.ir.ops.depthwise_conv2d import DepthwiseConv2DAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.passes.affine import AffineNode, affine_node


def lower_batchnorm(graph: Graph) -> tuple[Graph, bool]:
    """BATCH_NORM, and MUL with a different constant in each channel, become DEPTHWISE_CONV_2D.

    A kernel of one pixel is the same arithmetic, and in int8 each channel keeps a scale of its
    own: a constant operand of MUL has one scale for all of them, which leaves little of the
    small ones. Tensors that are no images are reshaped, which costs nothing.
    """
    editor = GraphEditor(graph)
    changed = False
    for node in graph.nodes:
        affine = affine_node(graph, node)
        if affine is not None and _wants(affine) and affine.map.is_finite:
            _lower(editor, affine)
            changed = True
    return (editor.build(), True) if changed else (graph, False)


def _wants(affine: AffineNode) -> bool:
    if affine.node.op is Op.BATCH_NORM:
        return True
    return affine.node.op is Op.MUL and not affine.map.is_uniform


def _lower(editor: GraphEditor, affine: AffineNode) -> None:
    node, channels = affine.node, affine.map.channels
    result = editor.tensors[node.output]
    weight = affine.map.scale.astype(result.dtype.numpy).reshape(1, 1, 1, channels)
    bias = affine.map.offset.astype(result.dtype.numpy)
    constants = [editor.add_constant(f"{node.name}/weight", weight)]
    if np.any(bias):
        constants.append(editor.add_constant(f"{node.name}/bias", bias))
    attrs = DepthwiseConv2DAttrs(clamp=affine.clamp)
    image = replace(node, op=Op.DEPTHWISE_CONV_2D, inputs=(affine.x, *constants), attrs=attrs)
    if len(result.shape) == 4:
        editor.replace_node(node, image)
        return
    shape = (1, 1, result.elements // channels, channels)
    before = editor.add_tensor(Tensor(f"{affine.x}/image", shape, result.dtype))
    after = editor.add_tensor(Tensor(f"{node.output}/image", shape, result.dtype))
    editor.replace_node(
        node,
        Node(
            editor.unique_node(f"{node.name}/image"),
            Op.RESHAPE,
            (affine.x,),
            (before,),
            ReshapeAttrs(shape),
            node.sources,
        ),
        replace(image, inputs=(before, *constants), outputs=(after,)),
        Node(
            editor.unique_node(f"{node.name}/reshaped"),
            Op.RESHAPE,
            (after,),
            (node.output,),
            ReshapeAttrs(result.shape),
            node.sources,
        ),
    )
