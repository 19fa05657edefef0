"""CONV_2D."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.c.layer import KernelCall, Layer
from tinyflow.codegen.c.ops.accumulate import epilogue, sizes, zeros
from tinyflow.ir import Graph, Node
from tinyflow.ir.ops.spatial import NO_PADDING


def is_pointwise(graph: Graph, node: Node) -> bool:
    """Whether a CONV_2D computes each pixel from the same pixel of its image."""
    attrs: Any = node.attrs
    kernel = graph.operands(node)[1].shape[1:3]
    return kernel == (1, 1) and attrs.strides == (1, 1) and attrs.padding == NO_PADDING


def bind(layer: Layer) -> list[KernelCall]:
    attrs, weight = layer.attrs, layer.operands[1]
    fields = [
        *sizes(layer),
        {"kernel_h": weight.shape[1], "kernel_w": weight.shape[2]},
        {"stride_h": attrs.strides[0], "stride_w": attrs.strides[1]},
        {"dilation_h": attrs.dilations[0], "dilation_w": attrs.dilations[1]},
        {"pad_top": attrs.padding[0][0], "pad_left": attrs.padding[1][0]},
        {"groups": attrs.groups},
        zeros(layer),
        *epilogue(layer),
    ]
    return [layer.call("conv2d_s8", fields)]
