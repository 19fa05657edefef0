"""Which kernel computes each layer and where, and where the figures for that come from."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from tinyflow.codegen.c import Costs, Goal, Plan, features_of, plan_model, table_for
from tinyflow.errors import MissingExtraError, UsageError
from tinyflow.ir import Graph
from tinyflow.progress import Progress
from tinyflow.project import CompileOptions
from tinyflow.targets import Target
from tinyflow.tune import autotune

BESIDE_ARENA = 2048
"""Bytes of RAM that are left for the stack and the like where memory is short."""


def plan_kernels(graph: Graph, target: Target, options: CompileOptions, progress: Progress) -> Plan:
    """What the backend of the options makes of a quantized graph; those that give other sources
    than C take the C backend's plan for what it is: an estimate.

    Raises `UnsupportedError` for layers that the backend has no kernels for, and
    `MissingExtraError` where it needs what is not installed.
    """
    return _PLANNERS.get(str(options.backend), _plan_c)(graph, target, options, progress)


def _plan_c(graph: Graph, target: Target, options: CompileOptions, progress: Progress) -> Plan:
    """By the shipped table, or by measuring this very network where that is asked for."""
    goal, features = Goal(options.optimize), features_of(target)
    costs: Costs = table_for(features).cost
    if options.autotune and target.emulator is None:
        raise UsageError(
            f"--autotune measures kernels on an emulated board, and '{target.name}' has none",
            "leave --autotune out",
        )
    if options.autotune:
        costs = autotune(graph, target, goal, progress)
    flash = target.board.flash_profile if target.board else None
    return plan_model(graph, features, goal, costs, flash, arena_limit(target, options))


def _plan_tvm(graph: Graph, target: Target, options: CompileOptions, progress: Progress) -> Plan:
    """TVM prints one kernel for each layer: there is nothing to choose among."""
    if find_spec("tvm") is None:
        raise MissingExtraError("--backend tvm", "tvm")
    from tinyflow.codegen.tvm.plan import plan_tvm

    return plan_tvm(graph)


_PLANNERS: dict[str, Callable[[Graph, Target, CompileOptions, Progress], Plan]] = {
    "c": _plan_c,
    "tvm": _plan_tvm,
}


def arena_limit(target: Target, options: CompileOptions) -> int | None:
    """Bytes that the arena may take at most; None where no memory is known."""
    limits = [target.board.ram.nbytes] if target.board else []
    if options.max_ram is not None:
        limits.append(options.max_ram)
    return max(min(limits) - BESIDE_ARENA, 0) if limits else None


def _costs(options: CompileOptions) -> str | None:
    """Where the figures come from by which kernels were chosen, if any were."""
    if options.backend == "tvm":
        return None
    return "measured" if options.autotune else "table"


def kernel_entry(plan: Plan, options: CompileOptions) -> dict[str, Any]:
    """The manifest's record: with the same choices, compiling again gives the same sources."""
    return {
        "costs": _costs(options),
        "layers": {name: variant.name for name, variant in plan.choices.items()},
        "fused": [
            {"layers": [node.name for node in step.nodes], "tile": step.tile}
            for step in plan.schedule.steps
            if step.fused is not None
        ],
    }
