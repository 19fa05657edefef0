"""Inputs and outputs of a model as its header declares them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tinyflow.codegen.c.comments import describe
from tinyflow.codegen.c.names import comment_text
from tinyflow.codegen.schedule.placement import Placement
from tinyflow.ir import Graph, Tensor


def ends_of(graph: Graph, kind: str) -> list[Tensor]:
    """The tensors of a ``kind``: input or output."""
    names = graph.inputs if kind == "input" else graph.outputs
    return [graph.tensors[name] for name in names]


def ends(
    graph: Graph, name: str, kind: str, places: Mapping[str, Placement]
) -> list[dict[str, object]]:
    """Inputs or outputs as the templates need them; ``name`` is the model's name in C."""
    entries = []
    for i, tensor in enumerate(ends_of(graph, kind)):
        entries.append(
            {
                "title": f"{kind} {i}",
                "comment": _comment(graph, f"{kind} {i}", tensor, places),
                "macro": f"{name.upper()}_{kind.upper()}_{i}",
                "function": f"{name}_{kind}_{i}",
                "c_type": tensor.dtype.c_type,
                "nbytes": tensor.nbytes,
                "elements": tensor.elements,
                "shape": tensor.shape,
                "scale": _float_literal(tensor.params.scale),
                "zero_point": _parenthesized(tensor.params.zero_point),
            }
        )
    return entries


def _comment(graph: Graph, title: str, tensor: Tensor, places: Mapping[str, Placement]) -> str:
    text = f"{title.capitalize()}, {comment_text(tensor.name)}: {describe(tensor, places)}"
    if tensor.name in graph.layouts:
        order = ",".join(map(str, graph.layouts[tensor.name]))
        text += f"; the source model's axes in the order {order}"
    return text


def _float_literal(value: float) -> str:
    text = str(np.float32(value))
    return f"{text}f" if "." in text or "e" in text else f"{text}.0f"


def _parenthesized(value: int) -> str:
    return f"({value})" if value < 0 else str(value)
