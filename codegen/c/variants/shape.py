"""What of a layer its cost depends on: a key for equal shapes, and quantities to reckon with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from math import prod
from typing import Any

from tinyflow.ir import Graph, Node, Op, as_nhwc

QUANTITIES = (
    "one",
    "rows",
    "inputs",
    "outputs",
    "weights",
    "products",
    "groups",
    "gathered",
)
"""What costs are linear in:

- one: the layer itself; rows: rows of the result
- inputs, outputs, weights: elements read, written, and of constants
- products: multiply-accumulates, output channels counted in fours where they are multiplied so
- groups: groups of four output channels, at every pixel; none takes channels of two groups of a
  grouped convolution
- gathered: elements of all windows
"""

_IN_FOURS = frozenset({Op.CONV_2D, Op.FULLY_CONNECTED})


def shape_key(graph: Graph, node: Node) -> str:
    """Equal for layers between which no cost is expected to differ: it holds the shapes and the
    attributes, but no values."""
    operands = [
        ("constant " if t.is_constant else "") + "x".join(map(str, t.shape))
        for t in graph.operands(node)
    ]
    attrs = [
        f"{f.name}={_show(getattr(node.attrs, f.name))}"
        for f in fields(node.attrs)
        if f.name != "clamp"
    ]
    result = "x".join(map(str, graph.result(node).shape))
    return f"{node.op.value}({', '.join([*operands, *attrs])}) -> {result}"


def _show(value: object) -> str:
    if isinstance(value, tuple):
        return "(" + " ".join(map(_show, value)) + ")"
    return str(value)


def quantities(graph: Graph, node: Node) -> Mapping[str, int]:
    """The value of each of `QUANTITIES`."""
    operands, result = graph.operands(node), graph.result(node)
    _, height, width, channels = as_nhwc(result.shape)
    parts = getattr(node.attrs, "groups", 1)
    pixels, fours = height * width, parts * -(-channels // parts // 4)
    macs = graph.macs(node)
    return {
        "one": 1,
        "rows": height,
        "inputs": sum(t.elements for t in operands if not t.is_constant),
        "outputs": result.elements,
        "weights": sum(t.elements for t in operands if t.is_constant),
        "products": macs * 4 * fours // channels if node.op in _IN_FOURS else macs,
        "groups": pixels * fours,
        "gathered": _gathered(graph, node, pixels, channels),
    }


def _gathered(graph: Graph, node: Node, pixels: int, channels: int) -> int:
    attrs: Any = node.attrs
    if node.op is Op.CONV_2D:
        return pixels * attrs.groups * prod(graph.operands(node)[1].shape[1:])
    if node.op in (Op.AVERAGE_POOL, Op.MAX_POOL):
        return int(pixels * channels * prod(attrs.kernel))
    return 0
