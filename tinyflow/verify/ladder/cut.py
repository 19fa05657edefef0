"""Cuts a graph at tensors whose values are given, so that a difference stays where it arises."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from tinyflow.ir import Graph


@dataclass(frozen=True, eq=False)
class CutGraph:
    """``graph`` takes the tensors of the original that are listed in its inputs.

    ``results`` has, for each tensor that it computes, its name in the original.
    """

    graph: Graph
    results: dict[str, str]


def cut_graph(graph: Graph, without: Collection[str], after: Collection[str]) -> CutGraph:
    """The graph without the nodes ``without``, and cut behind the nodes ``after``.

    The result of either kind of node becomes an input. A node of ``after`` still computes, under
    another name, what nobody reads. Tensors that nobody reads are outputs.
    """
    given = {n.output for n in graph.nodes if n.name in without or n.name in after}
    tensors = dict(graph.tensors)
    nodes, results = [], {}
    for node in graph.nodes:
        if node.name in without:
            continue
        original = node.output
        if node.name in after:
            name = f"{original} (computed)"
            tensors[name] = replace(tensors[original], name=name)
            node = replace(node, outputs=(name,))
        results[node.output] = original
        nodes.append(node)
    read = {name for node in nodes for name in node.inputs}
    inputs = [n for n in (*graph.inputs, *(n.output for n in graph.nodes)) if n in read]
    inputs = [n for n in inputs if n in graph.inputs or n in given]
    outputs = tuple(n for n in results if n not in read or results[n] in graph.outputs)
    used = {*read, *results}
    cut = replace(
        graph,
        nodes=tuple(nodes),
        tensors={name: tensor for name, tensor in tensors.items() if name in used},
        inputs=tuple(inputs),
        outputs=outputs,
        layouts={},
    )
    return CutGraph(cut, results)
