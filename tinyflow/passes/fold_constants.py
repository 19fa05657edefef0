"""Computes nodes whose operands are all constants."""

from __future__ import annotations

import numpy as np

from tinyflow.ir import OPS, Graph, GraphEditor, Node, Op, Tensor

_MOVES = {Op.CONCAT, Op.RESHAPE, Op.SLICE, Op.TRANSPOSE}


def fold_constants(graph: Graph) -> tuple[Graph, bool]:
    """The results become constants under their own names.

    Float arithmetic is done in float64 and rounded once. Quantized constants are only moved.
    """
    editor = GraphEditor(graph)
    changed = False
    for node in graph.nodes:
        operands = [editor.tensors[name] for name in node.inputs]
        if not all(t.is_constant for t in operands) or not _exact(graph, node):
            continue
        arrays = [_widen(t.value) for t in operands]
        result = graph.result(node)
        value = OPS[node.op].evaluate(node.attrs, *arrays)
        value = np.asarray(value).astype(result.dtype.numpy).reshape(result.shape)
        editor.tensors[node.output] = Tensor.constant(node.output, value, result.quant)
        editor.remove_node(node)
        changed = True
    return (editor.build(), True) if changed else (graph, False)


def _widen(value: np.ndarray) -> np.ndarray:
    return value.astype(np.float64) if value.dtype.kind == "f" else value


def _exact(graph: Graph, node: Node) -> bool:
    """Float nodes, and those that only move codes without changing what they mean."""
    tensors = [*graph.operands(node), graph.result(node)]
    if all(t.quant is None and t.dtype.numpy.kind == "f" for t in tensors):
        return True
    return node.op in _MOVES and len({(t.quant, t.dtype) for t in tensors}) == 1
