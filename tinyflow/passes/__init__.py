"""Rewrites that bring an imported graph into the one form that the rest of TinyFlow knows.

`PASSES` is the one ordered list. A pass is a function ``(graph) -> (graph, changed)`` that keeps
what the graph computes. In graphs that are already quantized, passes do only what is exact on the
integer codes.
"""

from __future__ import annotations

from collections.abc import Callable

from tinyflow.ir import Graph, check_graph
from tinyflow.passes.fold_batchnorm import fold_batchnorm
from tinyflow.passes.fold_constants import fold_constants
from tinyflow.passes.fuse_clamp import fuse_clamp
from tinyflow.passes.fuse_hard_swish import fuse_hard_swish
from tinyflow.passes.global_pool_to_mean import global_pool_to_mean
from tinyflow.passes.lower_batchnorm import lower_batchnorm
from tinyflow.passes.merge_pad import merge_pad
from tinyflow.passes.remove_dead import remove_dead
from tinyflow.passes.remove_identity import remove_identity
from tinyflow.passes.remove_transposes import remove_transposes
from tinyflow.passes.trim_taps import trim_taps

Pass = Callable[[Graph], tuple[Graph, bool]]

PASSES: tuple[Pass, ...] = (
    fold_constants,
    remove_identity,
    # Before the folds: they look for neighbours, and a TRANSPOSE between hides them.
    remove_transposes,
    # Before fuse_clamp, which would hide the steps of a hard-swish in other layers.
    fuse_hard_swish,
    global_pool_to_mean,
    # Before merge_pad: an offset folds through the border of a PAD, not through a convolution's.
    fold_batchnorm,
    merge_pad,
    trim_taps,
    fuse_clamp,
    # Last: only what found no neighbour to fold into.
    lower_batchnorm,
    remove_dead,
)

# Each round must make the graph smaller or simpler; real models settle after two or three.
_MOST_ROUNDS = 50


def run_passes(graph: Graph) -> Graph:
    """Runs `PASSES` in order, again and again until none changes the graph.

    Raises `GraphError`, naming the pass, where one leaves a graph that breaks a rule.
    """
    for _ in range(_MOST_ROUNDS):
        restless = []
        for run in PASSES:
            graph, changed = run(graph)
            if changed:
                check_graph(graph, after=f"the pass {run.__name__}")
                restless.append(run.__name__)
        if not restless:
            return graph
    raise RuntimeError(f"the passes {restless} do not come to rest on '{graph.name}'")


__all__ = ["PASSES", "Pass", "run_passes"]
