"""Graphs as text, one readable line a node."""

from __future__ import annotations

from tinyflow.ir.graph import Graph


def print_graph(graph: Graph) -> str:
    lines = [f"graph {graph.name} ({graph.parameters} parameters)"]
    lines += [f"  in  {graph.tensors[name]}" for name in graph.inputs]
    for node in graph.nodes:
        attrs = f" {{{node.attrs}}}" if str(node.attrs) else ""
        operands = ", ".join(
            f"const {name}" if graph.tensors[name].is_constant else name for name in node.inputs
        )
        results = ", ".join(str(graph.tensors[name]) for name in node.outputs)
        lines.append(f"  {node.op.value}({operands}){attrs} -> {results}  # {node.name}")
    lines += [f"  out {graph.tensors[name]}" for name in graph.outputs]
    return "\n".join(lines)
