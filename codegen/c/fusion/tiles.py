"""The layers of a region with the shapes of a tile."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinyflow.codegen.c.fusion.members import is_cut, window_of
from tinyflow.codegen.c.fusion.regions import Region
from tinyflow.codegen.schedule import Window
from tinyflow.ir import Graph, Node, Op, Shape, Tensor


def units_of(graph: Graph, region: Region) -> int:
    """Rows of the region's result, or positions where no layer needs neighbouring rows."""
    result = graph.result(region.nodes[-1])
    if region.window is None:
        return result.elements // result.shape[-1]
    return result.shape[1]


def describe_window(graph: Graph, region: Region) -> Window | None:
    """How the region's rows slide."""
    node = region.window
    if node is None:
        return None
    source = graph.operands(node)[0]
    kernel, stride, pad = window_of(graph, node)
    return Window(
        node=node.name,
        source=source.name,
        band=f"{source.name} (band)",
        rows=source.shape[1],
        kernel=kernel,
        stride=stride,
        pad=pad,
        fill=source.params.zero_point,
    )


def tile_graph(graph: Graph, region: Region, tile: int) -> Graph:
    """The region's nodes, and their tensors in the shapes of a tile. What the nodes before a
    window compute has room for the most rows that a tile adds."""
    window = describe_window(graph, region)
    units = units_of(graph, region)
    tensors: dict[str, Tensor] = {}
    nodes = []
    added = tile
    if window is not None:
        rows = [window.new_rows(y, tile) for y in range(0, units, tile)]
        added = max(end - begin for begin, end in rows)
        band = graph.tensors[window.source]
        shape = (1, window.band_rows(tile), *band.shape[2:])
        tensors[window.band] = replace(band, name=window.band, shape=shape)
    for node in region.nodes:
        count = added if node in region.before else tile
        mine = _with_own_rows(region, node)
        if window is not None and node.name == window.node:
            mine = _over_band(node, window)
        for whole, name in zip(
            (*node.inputs, node.output), (*mine.inputs, node.output), strict=True
        ):
            if name in tensors:
                continue
            tensor = replace(graph.tensors[whole], name=name)
            cut = name == node.output or is_cut(graph, node, whole)
            shape = _cut(tensor.shape, count, window) if cut else tensor.shape
            tensors[name] = tensor if shape == tensor.shape else replace(tensor, shape=shape)
        nodes.append(_fitted(mine, tensors))
    made = {node.output for node in nodes}
    inputs = [n for node in nodes for n in node.inputs if n not in made]
    outside = tuple(dict.fromkeys(n for n in inputs if not tensors[n].is_constant))
    read = {n for node in nodes for n in node.inputs}
    outputs = tuple(n for n in (node.output for node in nodes) if n not in read)
    return replace(
        graph,
        nodes=tuple(nodes),
        tensors=tensors,
        inputs=outside,
        # What lies outside is never overwritten by a layer that does not end the step.
        outputs=(*outputs, *outside),
        layouts={},
    )


def read_twice(region: Region) -> dict[str, str]:
    """Tensors from outside of which the nodes before the window read other rows than those after
    it: for the former, they have a name of their own. The tensor by that name."""
    after = {name for node in region.nodes if node not in region.before for name in node.inputs}
    made = {node.output for node in region.nodes}
    return {
        f"{name} (rows)": name
        for node in region.before
        for name in node.inputs
        if name in after and name not in made
    }


def _with_own_rows(region: Region, node: Node) -> Node:
    if node not in region.before:
        return node
    names = {whole: name for name, whole in read_twice(region).items()}
    return replace(node, inputs=tuple(names.get(name, name) for name in node.inputs))


def _cut(shape: Shape, count: int, window: Window | None) -> Shape:
    if window is not None:
        return (1, count, *shape[2:])
    return (1, count, shape[-1]) if len(shape) == 3 else (1, 1, count, shape[-1])


def _over_band(node: Node, window: Window) -> Node:
    """The window's node reads a band, which has rows for what was padding above and below."""
    attrs: Any = node.attrs
    padded = replace(attrs, padding=((0, 0), attrs.padding[1]))
    return replace(node, inputs=(window.band, *node.inputs[1:]), attrs=padded)


def _fitted(node: Node, tensors: dict[str, Tensor]) -> Node:
    """With attributes that fit the shapes of the tile."""
    if node.op is not Op.SLICE:
        return node
    attrs: Any = node.attrs
    end = (*tensors[node.inputs[0]].shape[:-1], attrs.end[-1])
    return replace(node, attrs=replace(attrs, end=end))
