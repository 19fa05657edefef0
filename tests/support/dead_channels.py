"""Random quantized graphs with dead channels planted into them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.support.draw import Draw, HypothesisDraw
from tests.support.random_graphs import ALL_OPS, grow_graph
from tinyflow.ir import OPS, DType, Graph, Node, Op, QuantParams, Rounding, Tensor
from tinyflow.ir.ops.fully_connected import FullyConnectedAttrs
from tinyflow.quantize.attach import attach_integers
from tinyflow.quantize.forms.accumulate import OUTPUT_AXIS

KILLING_BIAS = 2**22
"""Beyond any sum of products of the small layers in tests, and with them far from 32 bits."""

WEIGHTED = tuple(OUTPUT_AXIS)


def graph_with_dead_channels(draw: Draw, max_nodes: int = 10) -> Graph:
    """A random graph, every other layer of it with weights, whose outputs are small layers more:
    so that nearly every channel may go."""
    ops = (*ALL_OPS, *(WEIGHTED * (len(ALL_OPS) // len(WEIGHTED))))
    rounding = draw.choice((Rounding.DOUBLE, Rounding.DOUBLE, Rounding.SINGLE))
    graph = add_heads(grow_graph(draw, ops, max_nodes, rounding), draw)
    tensors = dict(graph.tensors)
    for node in graph.nodes:
        if node.op in OUTPUT_AXIS and node.output not in graph.outputs:
            _plant(node, tensors, draw)
    return attach_integers(replace(graph, tensors=tensors, rounding=None), rounding)


@st.composite
def graphs_with_dead_channels(draw: Callable[[Any], Any], max_nodes: int = 10) -> Graph:
    """Strategy: `graph_with_dead_channels`."""
    return graph_with_dead_channels(HypothesisDraw(draw), max_nodes)


def add_heads(graph: Graph, draw: Draw) -> Graph:
    """Lets a small fully connected layer read each int8 output, in whose place its result is put
    out. The new nodes have no integers yet."""
    tensors, nodes, outputs = dict(graph.tensors), list(graph.nodes), []
    for index, name in enumerate(graph.outputs):
        x = tensors[name]
        if len(x.shape) < 2 or x.dtype is not DType.INT8:
            outputs.append(name)
            continue
        data = draw.rng.integers(-127, 128, (2, x.shape[-1]), dtype=np.int8)
        weight = Tensor.constant(f"head_{index}/w", data, QuantParams.per_tensor(0.01))
        params = QuantParams.per_tensor(x.params.scale * np.sqrt(x.shape[-1]), 3)
        attrs = FullyConnectedAttrs()
        shape = OPS[Op.FULLY_CONNECTED].infer(attrs, x.shape, weight.shape)
        head = Node(
            f"head_{index}",
            Op.FULLY_CONNECTED,
            (name, weight.name),
            (f"head_{index}:0",),
            attrs,
        )
        tensors |= {weight.name: weight, head.output: Tensor(head.output, shape, x.dtype, params)}
        nodes.append(head)
        outputs.append(head.output)
    return replace(graph, nodes=tuple(nodes), tensors=tensors, outputs=tuple(outputs))


def _plant(node: Node, tensors: dict[str, Tensor], draw: Draw) -> None:
    """Drives sums of channels into a clamp, takes all their weights, or all of an input's."""
    weight = tensors[node.inputs[1]]
    axis = OUTPUT_AXIS[node.op]
    data = np.moveaxis(weight.value.copy(), axis, 0)
    for channel in range(len(data)):
        kind = draw.choice(("alive", "alive", "low", "low", "high", "no weights"))
        if kind == "no weights":
            data[channel] = 0
        elif kind != "alive" and len(node.inputs) > 2:
            _set_bias(tensors, node.inputs[2], channel, -1 if kind == "low" else 1)
    if axis == 0 and draw.choice((True, False)):
        data[..., draw.integer(0, data.shape[-1] - 1)] = 0
    moved = np.ascontiguousarray(np.moveaxis(data, 0, axis))
    tensors[weight.name] = Tensor.constant(weight.name, moved, weight.quant)


def _set_bias(tensors: dict[str, Tensor], name: str, channel: int, sign: int) -> None:
    bias = tensors[name]
    data = bias.value.copy()
    data[channel] = sign * KILLING_BIAS
    tensors[name] = Tensor.constant(name, data, bias.quant)
