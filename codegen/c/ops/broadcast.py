"""Shared by ADD, MUL and their like: operands that are repeated along some axes."""

from __future__ import annotations

from tinyflow.codegen.c.layer import FieldLine, Layer, Rows
from tinyflow.ir import Graph, Node, Shape, as_nhwc


def broadcast_rows(layer: Layer) -> list[Rows]:
    """Both operands; one that is repeated over the rows has a ring of 1."""
    return [layer.input_rows(i, _view(layer, i)) for i in (0, 1)]


def broadcast_fields(layer: Layer) -> list[FieldLine]:
    """The sizes and steps, and the zero points of operands and result."""
    zeros: FieldLine = {
        "a_zero": layer.operands[0].params.zero_point,
        "b_zero": layer.operands[1].params.zero_point,
        "out_zero": layer.result.params.zero_point,
    }
    return [*broadcast_steps(layer), zeros]


def broadcast_steps(layer: Layer) -> list[FieldLine]:
    _, height, width, channels = as_nhwc(layer.result.shape)
    lines: list[FieldLine] = [{"height": height, "width": width, "channels": channels}]
    for i, role in enumerate(("a", "b")):
        _, _, own_width, own_channels = _view(layer, i)
        lines.append(
            {
                f"{role}_pixel_step": own_channels if own_width == width else 0,
                f"{role}_channel_step": 1 if own_channels == channels else 0,
            }
        )
    return lines


def view(graph: Graph, node: Node, index: int) -> Shape:
    """An operand's shape under the result's axes: NumPy aligns them at the end."""
    shape = graph.operands(node)[index].shape
    return as_nhwc((1,) * (len(graph.result(node).shape) - len(shape)) + shape)


def _view(layer: Layer, index: int) -> Shape:
    return view(layer.graph, layer.node, index)
