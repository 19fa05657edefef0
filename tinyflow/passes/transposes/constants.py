"""Changes the constant of one node."""

from __future__ import annotations

import numpy as np

from tinyflow.ir import Graph, GraphEditor, Tensor


def put_constant(editor: GraphEditor, graph: Graph, name: str, value: np.ndarray) -> str:
    """The constant ``name`` with another value, for one of its readers in ``graph``.

    It keeps its name unless another node reads it, or the same node twice.
    """
    readers = sum(node.inputs.count(name) for node in graph.nodes)
    new = Tensor.constant(name, value, graph.tensors[name].quant)
    if readers == 1:
        editor.tensors[name] = new
        return name
    return editor.add_tensor(new)
