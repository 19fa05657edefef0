"""The last steps of an import: the outputs, the weights' soundness, the graph's rules."""

from __future__ import annotations

from collections.abc import Sequence

from tinyflow.errors import ModelError, Obstacle, UnsupportedError
from tinyflow.importers.common.builder import Builder
from tinyflow.importers.common.layer import RefusalError
from tinyflow.ir import Graph, check_graph, non_finite_constants

_SHOWN = 5


def finish(builder: Builder, name: str, outputs: Sequence[str], importer: str) -> Graph:
    """The graph of all layers that were translated.

    Raises `ModelError` for an output that is constant or without a batch axis, and for weights
    that are not finite.
    """
    constant = [o for o in outputs if o in builder.constants]
    if constant:
        raise ModelError(
            f"the output '{constant[0]}' does not depend on the model's inputs",
            "export the model without it",
        )
    obstacles, tensors = [], []
    for output in outputs:
        try:
            tensors.append(builder.output(output, outputs))
        except RefusalError as error:
            reason = f"the output '{output}' cannot be given: {error.reason}"
            obstacles.append(Obstacle(builder.maker(output), reason, error.remedy))
    if obstacles:
        raise UnsupportedError(obstacles)
    graph = builder.build(name, tensors)
    broken = non_finite_constants(graph)
    if broken:
        readers = {i: node.name for node in graph.nodes for i in node.inputs}
        shown = ", ".join(f"'{b}' of layer '{readers[b]}'" for b in broken[:_SHOWN])
        more = f" and {len(broken) - _SHOWN} more" if len(broken) > _SHOWN else ""
        raise ModelError(
            f"the model has weights that are NaN or infinite: {shown}{more}",
            "the training may have diverged; export a checkpoint with finite weights",
        )
    check_graph(graph, importer)
    return graph
