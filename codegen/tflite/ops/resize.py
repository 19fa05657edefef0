"""RESIZE_BILINEAR and RESIZE_NEAREST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyflow.codegen.tflite.writer import Writer
from tinyflow.ir import Node


def resize(name: str, table: str) -> Callable[[Writer, Node], None]:
    """A handler of one of the two."""

    def write(writer: Writer, node: Node) -> None:
        attrs: Any = node.attrs
        writer.emit(
            name,
            [*writer.operands(node), writer.constant(node, "size", attrs.size)],
            [writer.result(node)],
            table,
            alignCorners=attrs.align_corners,
            halfPixelCenters=attrs.half_pixel_centers,
        )

    return write
