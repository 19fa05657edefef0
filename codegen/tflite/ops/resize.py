"""RESIZE_BILINEAR and RESIZE_NEAREST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyflow.codegen.tflite.writer import Writer
from tinyflow.ir import Node
from tinyflow.ir.ops.resize import ResizeAttrs

_TABLES = {
    "RESIZE_BILINEAR": "ResizeBilinearOptions",
    "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighborOptions",
}


def resize(name: str) -> Callable[[Writer, Node], None]:
    """A handler of one of the two."""

    def write(writer: Writer, node: Node) -> None:
        attrs: Any = node.attrs
        emit_resize(writer, node, name, attrs, writer.result(node))

    return write


def emit_resize(writer: Writer, node: Node, name: str, attrs: ResizeAttrs, target: int) -> None:
    """From the node's operand to the tensor ``target``."""
    writer.emit(
        name,
        [*writer.operands(node), writer.constant(node, "size", attrs.size)],
        [target],
        _TABLES[name],
        alignCorners=attrs.align_corners,
        halfPixelCenters=attrs.half_pixel_centers,
    )
