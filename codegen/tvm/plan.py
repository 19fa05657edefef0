"""A TensorIR kernel for every layer, and a place for everything."""

from __future__ import annotations

from tinyflow.codegen.c import Plan, demands_of
from tinyflow.codegen.schedule import make_schedule
from tinyflow.codegen.tvm.variant import has_form, variant_of
from tinyflow.errors import Obstacle, UnsupportedError
from tinyflow.ir import Graph


def plan_tvm(graph: Graph) -> Plan:
    """Of a quantized graph. Raises `UnsupportedError`, which lists every layer without TensorIR."""
    obstacles = [
        Obstacle(
            f"{node.name} ({node.op.value})",
            "this operation has no TensorIR form",
            "Compile the model with --backend c.",
        )
        for node in graph.nodes
        if not has_form(node.op)
    ]
    if obstacles:
        raise UnsupportedError(obstacles)
    choices = {node.name: variant_of(node.op) for node in graph.nodes}
    return Plan(choices, make_schedule(graph, demands_of(graph, choices)))
