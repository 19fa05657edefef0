"""Merges a PAD into the layers behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

from tinyflow.ir import Graph, GraphEditor, Node, Op, ShapeError
from tinyflow.ir.ops.pad import PadAttrs
from tinyflow.ir.ops.pool import infer_pool
from tinyflow.ir.ops.spatial import Pair
from tinyflow.passes.facts import bounds, find_node, same_codes


def merge_pad(graph: Graph) -> tuple[Graph, bool]:
    """A PAD goes where every layer that reads it can pad by itself with the same result.

    That is: convolutions, behind a border of zeros; MAX_POOL, whose own padding never wins, behind
    a border that cannot win either; another PAD with the same border. AVERAGE_POOL never: its own
    padding does not count.
    """
    changed = False
    for name in [node.name for node in graph.nodes if node.op is Op.PAD]:
        node = find_node(graph, name)
        if node is None or not same_codes(graph, node.inputs[0], node.output):
            continue
        merged = _merge(graph, node)
        if merged is not None:
            graph, changed = merged, True
    return graph, changed


def _merge(graph: Graph, pad: Node) -> Graph | None:
    readers = graph.consumers(pad.output)
    if not readers or pad.output in graph.outputs:
        return None
    editor = GraphEditor(graph)
    for reader in readers:
        merge = _MERGES.get(reader.op)
        own = merge(graph, pad, reader) if merge is not None else None
        if own is None:
            return None
        inputs = (pad.inputs[0], *reader.inputs[1:])
        sources = pad.sources + reader.sources
        editor.replace_node(reader, replace(reader, inputs=inputs, attrs=own, sources=sources))
    editor.remove_node(pad)
    return editor.build()


def _into_convolution(graph: Graph, pad: Node, reader: Node) -> Any:
    """Zeros add nothing to a sum of products."""
    if _value(pad) != 0 or not _spatial(pad):
        return None
    kernel = graph.tensors[reader.inputs[1]].shape[1:3]
    attrs: Any = reader.attrs
    reach = tuple((k - 1) * d + 1 for k, d in zip(kernel, attrs.dilations, strict=True))
    return _wider(reader, pad, reach)


def _into_max_pool(graph: Graph, pad: Node, reader: Node) -> Any:
    """A border no greater than any pixel never is the greatest of a window with a pixel in it."""
    if not _spatial(pad) or _value(pad) > bounds(graph, pad.inputs[0])[0]:
        return None
    attrs: Any = reader.attrs
    wider = _wider(reader, pad, attrs.kernel)
    try:
        infer_pool(wider or attrs, graph.tensors[pad.inputs[0]].shape)
    except ShapeError:
        return None
    return wider


def _into_pad(graph: Graph, pad: Node, reader: Node) -> Any:
    if _value(pad) != _value(reader) or not same_codes(graph, pad.output, reader.output):
        return None
    attrs: Any = reader.attrs
    both = zip(_pads(pad), attrs.pads, strict=True)
    return replace(attrs, pads=tuple((a + c, b + d) for (a, b), (c, d) in both))


# Each returns the reader's attributes with the PAD merged into them, None where that is not exact.
_MERGES: dict[Op, Callable[[Graph, Node, Node], Any]] = {
    Op.CONV_2D: _into_convolution,
    Op.DEPTHWISE_CONV_2D: _into_convolution,
    Op.MAX_POOL: _into_max_pool,
    Op.PAD: _into_pad,
}


def _wider(reader: Node, pad: Node, reach: Sequence[int]) -> Any:
    """None where padding as wide as the window would make windows that see no pixel at all."""
    attrs: Any = reader.attrs
    padding = tuple(
        (a + c, b + d) for (a, b), (c, d) in zip(_pads(pad)[1:3], attrs.padding, strict=True)
    )
    if any(max(sides) >= extent for sides, extent in zip(padding, reach, strict=True)):
        return None
    return replace(attrs, padding=padding)


def _pads(pad: Node) -> tuple[Pair, ...]:
    return cast(PadAttrs, pad.attrs).pads


def _value(pad: Node) -> float:
    return cast(PadAttrs, pad.attrs).value


def _spatial(pad: Node) -> bool:
    """Whether the border is around the image, on no other axis."""
    pads = _pads(pad)
    return len(pads) == 4 and pads[3] == (0, 0)
