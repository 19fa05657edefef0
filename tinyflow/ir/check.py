"""The checker: what holds for every graph, after every pass."""

from __future__ import annotations

import numpy as np

from tinyflow.ir.graph import Graph
from tinyflow.ir.node import Node
from tinyflow.ir.ops import OPS, ShapeError


class GraphError(ValueError):
    """A graph breaks a rule. This is a bug in whoever made it, not a mistake of the user."""


def check_graph(graph: Graph, after: str) -> None:
    """Raises `GraphError`, naming ``after`` (an importer or a pass), where a rule is broken."""
    try:
        _check(graph)
    except GraphError as error:
        raise GraphError(f"after {after}: {error}") from None


def _check(graph: Graph) -> None:
    known = {*graph.inputs, *graph.constants}
    names: set[str] = set()
    for name in graph.inputs:
        _require(name in graph.tensors, f"input '{name}' has no tensor")
        _require(not graph.tensors[name].is_constant, f"input '{name}' is a constant")
    for node in graph.nodes:
        _require(node.name not in names, f"two nodes are named '{node.name}'")
        names.add(node.name)
        for name in node.inputs:
            _require(name in known, f"'{node.name}' reads '{name}' before it is computed")
        for name in node.outputs:
            _require(name in graph.tensors, f"'{node.name}' writes '{name}', which has no tensor")
            _require(name not in known, f"'{node.name}' computes '{name}' a second time")
            known.add(name)
        _check_node(graph, node)
    for name in graph.outputs:
        _require(name in known, f"output '{name}' is never computed")
    for name, perm in graph.layouts.items():
        rank = len(graph.tensors[name].shape)
        _require(sorted(perm) == list(range(rank)), f"layout {perm} of '{name}' is no permutation")


def _check_node(graph: Graph, node: Node) -> None:
    spec = OPS[node.op]
    _require(
        type(node.attrs) is spec.attrs,
        f"'{node.name}' is a {node.op.value} with {type(node.attrs).__name__}",
    )
    least = sum(not role.endswith(("?", "*")) for role in spec.inputs)
    repeated = any(role.endswith("*") for role in spec.inputs)
    _require(len(node.inputs) >= max(least, 1), f"'{node.name}' lacks operands")
    _require(repeated or len(node.inputs) <= len(spec.inputs), f"'{node.name}' has extra operands")
    try:
        shape = spec.infer(node.attrs, *(t.shape for t in graph.operands(node)))
    except ShapeError as error:
        raise GraphError(f"'{node.name}' ({node.op.value}): {error}") from None
    declared = graph.result(node).shape
    _require(shape == declared, f"'{node.name}' computes {shape}, its tensor is {declared}")
    if graph.is_quantized:
        _require(node.integer is not None, f"'{node.name}' has no integer form")
        _require(graph.result(node).quant is not None, f"'{node.output}' has no quantization")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise GraphError(message)


def non_finite_constants(graph: Graph) -> list[str]:
    """Names of float constants that hold NaN or infinity."""
    return [
        name
        for name, t in graph.constants.items()
        if t.data is not None and t.data.dtype.kind == "f" and not np.isfinite(t.data).all()
    ]
