"""Rewrites that bring an imported graph into the one form that the rest of TinyFlow knows.

`PASSES` is the one ordered list, `LAST_PASSES` what follows once it has come to rest. A pass is a
function ``(graph) -> (graph, changed)`` that keeps what the graph computes. In graphs that are
already quantized, passes do only what is exact on the integer codes.
"""

from __future__ import annotations

from collections.abc import Callable

from tinyflow.ir import Graph, check_graph
from tinyflow.passes.div_to_mul import div_to_mul
from tinyflow.passes.drop_key_bias import drop_key_bias
from tinyflow.passes.fold_batchnorm import fold_batchnorm
from tinyflow.passes.fold_constants import fold_constants
from tinyflow.passes.fold_layer_norm import fold_layer_norm
from tinyflow.passes.fold_shortcut import fold_shortcut
from tinyflow.passes.fuse_attention import fuse_attention
from tinyflow.passes.fuse_channel_gate import fuse_channel_gate
from tinyflow.passes.fuse_clamp import fuse_clamp
from tinyflow.passes.fuse_cross_covariance import fuse_cross_covariance
from tinyflow.passes.fuse_function import fuse_function, fuse_function_ends
from tinyflow.passes.fuse_l2_norm import fuse_l2_norm
from tinyflow.passes.fuse_layer_norm import fuse_layer_norm
from tinyflow.passes.global_pool_to_mean import global_pool_to_mean
from tinyflow.passes.linear_to_conv import linear_to_conv
from tinyflow.passes.lower_batchnorm import lower_batchnorm
from tinyflow.passes.merge_pad import merge_pad
from tinyflow.passes.pool_tokens import pool_tokens
from tinyflow.passes.remove_dead import remove_dead
from tinyflow.passes.remove_identity import remove_identity
from tinyflow.passes.remove_transposes import remove_transposes
from tinyflow.passes.split_projections import split_projections
from tinyflow.passes.trim_taps import trim_taps

Pass = Callable[[Graph], tuple[Graph, bool]]

PASSES: tuple[Pass, ...] = (
    fold_constants,
    remove_identity,
    # Before fuse_function, which joins the steps of a LayerNorm that are functions of one element.
    fuse_layer_norm,
    # Before fuse_function as well: the root and the maximum are functions of one element.
    fuse_l2_norm,
    # Before the attentions, which look for queries, keys and values that are whole tensors.
    split_projections,
    fuse_attention,
    fuse_cross_covariance,
    pool_tokens,
    # Before the folds: they look for neighbours, and a TRANSPOSE between hides them.
    remove_transposes,
    linear_to_conv,
    # Before the folds, which would hide the steps of a function in other layers.
    fuse_function,
    div_to_mul,
    global_pool_to_mean,
    # Before merge_pad: an offset folds through the border of a PAD, not through a convolution's.
    fold_batchnorm,
    fold_layer_norm,
    drop_key_bias,
    fold_shortcut,
    fuse_channel_gate,
    merge_pad,
    trim_taps,
    fuse_clamp,
    remove_dead,
)

# Only what found no neighbour to fold into.
LAST_PASSES: tuple[Pass, ...] = (lower_batchnorm, fuse_function_ends)

# Each round must make the graph smaller or simpler; real models settle after two or three.
_MOST_ROUNDS = 50


def run_passes(graph: Graph) -> Graph:
    """Runs `PASSES` in order, and `LAST_PASSES` behind them, until none changes the graph.

    Raises `GraphError`, naming the pass, where one leaves a graph that breaks a rule.
    """
    for _ in range(_MOST_ROUNDS):
        graph, restless = _round(graph, PASSES)
        if not restless:
            graph, restless = _round(graph, LAST_PASSES)
        if not restless:
            return graph
    raise RuntimeError(f"the passes {restless} do not come to rest on '{graph.name}'")


def _round(graph: Graph, passes: tuple[Pass, ...]) -> tuple[Graph, list[str]]:
    """The graph after each pass once, and the names of those that changed it."""
    restless = []
    for run in passes:
        graph, changed = run(graph)
        if changed:
            check_graph(graph, after=f"the pass {run.__name__}")
            restless.append(run.__name__)
    return graph, restless


__all__ = ["LAST_PASSES", "PASSES", "Pass", "run_passes"]
