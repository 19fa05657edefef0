"""ARGMAX, and with it the enlarging of the image of which it labels the pixels."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.codegen.c.ops.resize_bilinear import axis_tables
from tinyflow.ir import DType, Graph, Node, as_nhwc


def scratch_bytes(graph: Graph, node: Node) -> int:
    """A row of the image between two rows, int32."""
    attrs: Any = node.attrs
    if attrs.resize is None:
        return 0
    _, _, width, channels = graph.operands(node)[0].shape
    return 4 * width * channels


def bind(layer: Layer) -> list[KernelCall]:
    wide: FieldLine = {"wide": int(layer.result.dtype is DType.INT16)}
    _, height, width, channels = as_nhwc(layer.operands[0].shape)
    if layer.form.resize is None:
        fields: list[FieldLine] = [
            {"height": height, "width": width, "channels": channels},
            wide,
        ]
        return [layer.call("argmax_s8", fields)]
    _, out_h, out_w, _ = layer.result.shape
    fields = [
        {"in_h": height, "in_w": width, "channels": channels},
        {"out_h": out_h, "out_w": out_w},
        wide,
        *axis_tables(layer, layer.form.resize),
    ]
    return [layer.call("resize_argmax_s8", fields, scratch=layer.scratch)]
