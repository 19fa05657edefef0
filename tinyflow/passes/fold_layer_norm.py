"""Folds the factors and offsets of LAYER_NORM into the layers behind it."""

from __future__ import annotations

from dataclasses import replace

from tinyflow.ir import Graph, Op
from tinyflow.passes.affine import Affine
from tinyflow.passes.push_down import push_down
from tinyflow.passes.weights import read_weights


def fold_layer_norm(graph: Graph) -> tuple[Graph, bool]:
    """A LAYER_NORM with gamma and beta -> one without, where all that reads it can take them up.

    Arithmetic is in float64, rounded once.
    """
    changed = False
    for node in [n for n in graph.nodes if n.op is Op.LAYER_NORM and len(n.inputs) > 1]:
        weights = read_weights(graph, node)
        if weights is None:
            continue
        affine = Affine(weights.weight, weights.bias)
        editor = push_down(graph, node.output, affine, ()) if affine.is_finite else None
        if editor is not None:
            editor.replace_node(node, replace(node, inputs=node.inputs[:1]))
            graph, changed = editor.build(), True
    return graph, changed
