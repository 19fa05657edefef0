"""Gates: whether the compiled model stays inside the target's memory and the user's limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinyflow.errors import GateError, ModelError, ToolError, UsageError
from tinyflow.pipeline.source import Source
from tinyflow.progress import Progress
from tinyflow.project import CompileOptions
from tinyflow.targets import Target


def check_options(source: Source, options: CompileOptions) -> None:
    """Raises `UsageError` for a limit that could never be checked."""
    if options.max_drop is None:
        return
    if options.test_data is None:
        raise UsageError(
            "--max-drop needs test data, and none were given", "--test-data DATA with labels"
        )
    if not source.is_float:
        raise UsageError(
            "--max-drop compares with the float model, and this one is quantized already",
            "compile the float model, or leave --max-drop out",
        )


def check_room(arena_bytes: int, constant_bytes: int, target: Target) -> None:
    """Raises `ModelError` where a model cannot fit the target, before anything is built."""
    for problem in room_problems(arena_bytes, constant_bytes, target):
        raise ModelError(problem, "choose a larger target, or make the model smaller")


def room_problems(arena_bytes: int, constant_bytes: int, target: Target) -> list[str]:
    """What does not fit the target's memory, in sentences."""
    if target.board is None:
        return []
    problems = []
    if arena_bytes > target.board.ram.nbytes:
        problems.append(
            f"the activations need {arena_bytes:,} bytes of RAM, "
            f"{target.name} has {target.board.ram.nbytes:,}"
        )
    if constant_bytes > target.board.storage.nbytes:
        problems.append(
            f"weights and tables need {constant_bytes:,} bytes of flash, "
            f"{target.name} has {target.board.storage.nbytes:,}"
        )
    return problems


def weight_problems(weight_bytes: int, target: Target) -> list[str]:
    """Says that no kernel and no table can help: the weights alone exceed the target's flash."""
    if target.board is None or weight_bytes <= target.board.storage.nbytes:
        return []
    return [
        f"the weights alone need {weight_bytes:,} bytes of flash at one byte each, "
        f"{target.name} has {target.board.storage.nbytes:,}"
    ]


def check_limits(report: Mapping[str, Any], options: CompileOptions, progress: Progress) -> None:
    """Raises `GateError` naming every limit that is exceeded."""
    memory = report["memory"]
    failed = []
    for limit, key, what, flag in (
        (options.max_ram, "ram_bytes", "RAM", "--max-ram"),
        (options.max_flash, "flash_bytes", "flash", "--max-flash"),
    ):
        if limit is None:
            continue
        if memory[key] is None:
            raise ToolError(
                f"{flag} cannot be checked: no firmware was built and measured",
                "install the cross compiler, compile for a Cortex-M target and leave --no-build "
                "out, or leave the limit out",
            )
        if memory[key] > limit:
            failed.append(f"{what}: {memory[key]:,} bytes, the limit is {limit:,}")
    if options.max_ram is not None and memory["stack_bytes"] is None:
        progress.note("the stack was not measured, --max-ram was held against the rest of RAM")
    drop = report["accuracy"]["drop_pp"]
    if options.max_drop is not None:
        if drop is None:
            raise UsageError("--max-drop needs test data with labels", "add y to the test data")
        if drop > options.max_drop:
            failed.append(f"accuracy: a drop of {drop:.2f} pp, the limit is {options.max_drop:g}")
    if failed:
        raise GateError(
            "\n".join(["the compiled model exceeds its limits:", *(f"  - {f}" for f in failed)]),
            "no bundle was written; raise the limit or change the model",
        )
