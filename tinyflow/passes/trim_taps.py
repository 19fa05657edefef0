"""Removes the outer taps of a kernel that never meet a pixel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinyflow.ir import Graph, GraphEditor, Node, Op, Tensor
from tinyflow.ir.ops.spatial import Pair, extent

_CONVOLUTIONS = frozenset({Op.CONV_2D, Op.DEPTHWISE_CONV_2D})


@dataclass(frozen=True)
class _Axis:
    """A window along one axis of an image: what the layer has, or needs."""

    taps: range
    padding: Pair
    dilation: int


def trim_taps(graph: Graph) -> tuple[Graph, bool]:
    """Rows and columns of a convolution's kernel that lie in the padding wherever the kernel
    stands go, and the padding with them.

    So it is with large or dilated kernels on small maps: 9x9 on a 3x3 map is 5x5, and a 3x3 kernel
    of dilation 24 on a 16x16 map is 1x1.
    """
    changed = False
    for node in graph.nodes:
        if node.op in _CONVOLUTIONS and graph.tensors[node.inputs[1]].is_constant:
            trimmed = _trim(graph, node)
            if trimmed is not None:
                graph, changed = trimmed, True
    return graph, changed


def _trim(graph: Graph, node: Node) -> Graph | None:
    attrs: Any = node.attrs
    image, weight = graph.operands(node)[:2]
    axes = [
        _needed(
            image.shape[i + 1], weight.shape[i + 1], attrs.strides[i], attrs.dilations[i],
            attrs.padding[i],
        )
        for i in range(2)
    ]  # fmt: skip
    if all(len(axis.taps) == weight.shape[i + 1] for i, axis in enumerate(axes)):
        return None
    rows, columns = (slice(axis.taps.start, axis.taps.stop) for axis in axes)
    fewer = replace(
        attrs,
        padding=tuple(axis.padding for axis in axes),
        dilations=tuple(axis.dilation for axis in axes),
    )
    editor = GraphEditor(graph)
    name = editor.add_tensor(
        _with_value(weight, np.ascontiguousarray(weight.value[:, rows, columns]))
    )
    inputs = (node.inputs[0], name, *node.inputs[2:])
    editor.replace_node(node, replace(node, inputs=inputs, attrs=fewer))
    return editor.build()


def _with_value(weight: Tensor, value: np.ndarray) -> Tensor:
    return Tensor.constant(f"{weight.name}/trimmed", value, weight.quant)


def _needed(size: int, kernel: int, stride: int, dilation: int, padding: Pair) -> _Axis:
    """The window without its outer taps that never meet one of ``size`` pixels; as it is where
    another padding could not keep the number of results."""
    whole = _Axis(range(kernel), padding, dilation)
    results = extent(size, kernel, stride, dilation, padding)
    first = np.arange(results) * stride - padding[0]
    met = [
        t
        for t in range(kernel)
        if ((first + t * dilation >= 0) & (first + t * dilation < size)).any()
    ]
    if not met:
        return whole
    taps = range(met[0], met[-1] + 1)
    before = padding[0] - taps.start * dilation
    after = max(padding[1] - (kernel - taps.stop) * dilation, 0)
    spacing = dilation if len(taps) > 1 else 1
    if before < 0 or extent(size, len(taps), stride, spacing, (before, after)) != results:
        return whole
    return _Axis(taps, (before, after), spacing)
