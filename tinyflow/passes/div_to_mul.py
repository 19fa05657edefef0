"""Turns divisions by constants into products, which int8 can compute."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyflow.ir import Graph, GraphEditor, Op
from tinyflow.passes.facts import is_float


def div_to_mul(graph: Graph) -> tuple[Graph, bool]:
    """``x / k`` -> ``x * (1 / k)``, the quotient in float64, rounded once.

    A divisor stays where it holds a zero, or its inverse is no finite number.
    """
    editor = GraphEditor(graph)
    changed = False
    for node in graph.nodes:
        divisor = graph.tensors[node.inputs[-1]]
        if node.op is not Op.DIV or not divisor.is_constant or not is_float(graph, node):
            continue
        with np.errstate(divide="ignore", over="ignore"):
            inverse = (1 / divisor.value.astype(np.float64)).astype(divisor.dtype.numpy)
        if not np.isfinite(inverse).all():
            continue
        factor = editor.add_constant(f"{divisor.name}/inverse", inverse)
        editor.replace_node(node, replace(node, op=Op.MUL, inputs=(node.inputs[0], factor)))
        changed = True
    return (editor.build(), True) if changed else (graph, False)
