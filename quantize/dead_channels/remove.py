"""Finds the largest set of channels that all nodes can do without, and takes it out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from tinyflow.ir import Graph, Node, Rounding, check_graph
from tinyflow.quantize.dead_channels.place import Mask, Place, unchanged
from tinyflow.quantize.dead_channels.rules import RULES
from tinyflow.quantize.forms.accumulate import OUTPUT_AXIS
from tinyflow.quantize.intervals import ChannelRange, channel_ranges
from tinyflow.quantize.intervals.channel_range import channel_count
from tinyflow.quantize.site import Site


@dataclass(frozen=True, eq=False)
class Removal:
    """``graph`` computes the same outputs. ``kept`` holds, for each activation of the graph as
    it was, the indices of the channels (last axis) that are left; none where the tensor is gone.

    ``channels`` counts the output channels that layers with weights have lost, ``macs`` the
    multiply-accumulates of one inference that are saved.
    """

    graph: Graph
    kept: Mapping[str, np.ndarray]
    channels: int
    macs: int


def remove_dead_channels(graph: Graph) -> Removal:
    """Removes channels that are constant or unused, bit-exactly; inputs and outputs stay whole.

    The graph must carry its integers. A channel is constant where its range (see
    `channel_ranges`) is one code, whatever the input: then what it adds to later sums goes into
    their biases. Every tensor that stays keeps its name, and its channels keep their values.
    """
    kept = {n: np.arange(channel_count(t)) for n, t in graph.tensors.items() if not t.is_constant}
    result = graph
    while True:
        gone = _find(result)
        if not any(mask.any() for mask in gone.values()):
            break
        result = _take_out(result, gone)
        for name, mask in gone.items():
            kept[name] = kept[name][~mask]
    weighted = [node.output for node in graph.nodes if node.op in OUTPUT_AXIS]
    channels = sum(graph.tensors[name].shape[-1] - len(kept[name]) for name in weighted)
    return Removal(result, kept, channels, _macs(graph) - _macs(result))


def _macs(graph: Graph) -> int:
    return sum(graph.macs(node) for node in graph.nodes)


def _find(graph: Graph) -> dict[str, Mask]:
    """The masks of all activations: at first all but inputs and outputs go, then each node takes
    back what it cannot do without, until none objects."""
    fixed = {*graph.inputs, *graph.outputs}
    gone = {
        # The last axis of a tensor of rank 1 is the batch.
        name: np.full(channel_count(t), name not in fixed and len(t.shape) > 1)
        for name, t in graph.tensors.items()
        if not t.is_constant
    }
    ranges = channel_ranges(graph)
    places = [_place(graph, node, ranges, gone) for node in reversed(graph.nodes)]
    left = -1
    while left != (left := sum(int(mask.sum()) for mask in gone.values())):
        for place in places:
            if place.result_gone.all():
                continue
            if not place.masks:
                # Computed from constants alone; such a node is left as it is.
                place.result_gone[:] = False
                continue
            RULES[place.site.node.op].restrict(place)
            if all(mask.all() for mask in place.masks):
                # A node that stays needs an input, though it may ignore all of it.
                place.masks[0][0] = False
    return gone


def _place(
    graph: Graph, node: Node, ranges: Mapping[str, ChannelRange], gone: Mapping[str, Mask]
) -> Place:
    return Place(
        Site.of(graph, node, graph.rounding or Rounding.DOUBLE),
        tuple(ranges[name] for name in node.inputs),
        tuple(gone.get(name) for name in node.inputs),
        gone[node.output],
    )


def _take_out(graph: Graph, gone: Mapping[str, Mask]) -> Graph:
    ranges = channel_ranges(graph)
    uses = Counter([*graph.outputs, *(name for node in graph.nodes for name in node.inputs)])
    constants = graph.constants
    tensors = {name: constants[name] for name in graph.outputs if name in constants}
    tensors |= {
        name: replace(t, shape=(*t.shape[:-1], int((~gone[name]).sum())))
        for name, t in graph.tensors.items()
        if name in gone and not gone[name].all()
    }
    names = set(graph.tensors)
    nodes = []
    for node in graph.nodes:
        place = _place(graph, node, ranges, gone)
        if place.result_gone.all():
            continue
        new = RULES[node.op].rewrite(place) if place.masks else unchanged(place)
        inputs = []
        for tensor in new.operands:
            if tensor.is_constant:
                own = constants.get(tensor.name) is tensor
                if not own and not (tensor.name in node.inputs and uses[tensor.name] == 1):
                    tensor = replace(tensor, name=_free(tensor.name, names))
                tensors[tensor.name] = tensor
            inputs.append(tensor.name)
        nodes.append(replace(node, inputs=tuple(inputs), attrs=new.attrs, integer=new.integer))
    result = replace(graph, nodes=tuple(nodes), tensors=tensors)
    check_graph(result, "removing dead channels")
    return result


def _free(stem: str, names: set[str]) -> str:
    """A new name, which is taken from then on; others may read the constant under the old one."""
    name, number = stem, 0
    while name in names:
        number += 1
        name = f"{stem}_{number}"
    names.add(name)
    return name
