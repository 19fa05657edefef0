"""Measures the kernel variants of a network's layers, in the network itself."""

from __future__ import annotations

from tinyflow.codegen.c import Cost, Costs, Goal, Variant, features_of, variants_of
from tinyflow.ir import Graph, Node
from tinyflow.progress import SILENT, Progress
from tinyflow.targets import Target
from tinyflow.tune.measure import measure_choices


def autotune(graph: Graph, target: Target, goal: Goal, progress: Progress = SILENT) -> Costs:
    """The measured cost of every variant that a layer may have for this goal.

    The network is measured as often as the layer with most variants has some, each time with
    another variant of every layer. Raises `ToolError` where a tool is missing or fails.
    """
    variants = {
        node.name: variants_of(graph, node, features_of(target), goal) for node in graph.nodes
    }
    rounds = max((len(entries) for entries in variants.values()), default=0)
    known: dict[tuple[str, str], Cost] = {}
    if rounds > 1:
        progress.stage(f"Measuring kernels in {rounds} rounds")
        for number in range(rounds):
            choices = {
                name: entries[min(number, len(entries) - 1)] for name, entries in variants.items()
            }
            for name, cost in measure_choices(graph, choices, target, goal.value).items():
                known.setdefault((name, choices[name].name), cost)
            progress.count("measured", number + 1, rounds)

    def costs(graph: Graph, node: Node, variant: Variant) -> Cost | None:
        return known.get((node.name, variant.name))

    return costs
