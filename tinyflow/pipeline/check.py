"""`tinyflow check`: every obstacle between a model and a target, at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tinyflow.data import Dataset, random_dataset
from tinyflow.data.spec import input_specs
from tinyflow.errors import Obstacle, UnsupportedError
from tinyflow.pipeline.backends.choice import choose_backend
from tinyflow.pipeline.kernels import plan_kernels
from tinyflow.pipeline.limits import room_problems, weight_problems
from tinyflow.pipeline.quantizing import quantize
from tinyflow.pipeline.room import Need, boards_with_room, need_of
from tinyflow.pipeline.source import Source, read_source, with_defaults
from tinyflow.progress import SILENT, Progress
from tinyflow.project import CompileOptions
from tinyflow.quantize import RangeMethod
from tinyflow.targets import load_target

_NOISE_SAMPLES = 2


@dataclass(frozen=True)
class CheckVerdict:
    """What stands in the way. ``need`` is None where the model could not be read that far;
    ``boards`` have room for the model where the target has not."""

    model: str
    target: str
    obstacles: tuple[Obstacle, ...]
    memory_problems: tuple[str, ...] = ()
    need: Need | None = None
    boards: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.obstacles and not self.memory_problems

    def to_json(self) -> dict[str, Any]:
        need = self.need
        return {
            "model": self.model,
            "target": self.target,
            "passed": self.passed,
            "obstacles": [
                {"layer": o.layer, "reason": o.reason, "remedy": o.remedy} for o in self.obstacles
            ],
            "memory_problems": list(self.memory_problems),
            "boards_with_room": list(self.boards),
            "arena_bytes": need.arena_bytes if need else None,
            "weight_bytes": need.weight_bytes if need else None,
            "table_bytes": need.table_bytes if need else None,
            "constant_bytes": need.constant_bytes if need else None,
        }

    def __str__(self) -> str:
        if self.passed:
            head = f"{self.model} can be compiled for {self.target}"
        else:
            count = len(self.obstacles) + len(self.memory_problems)
            plural = "s" if count != 1 else ""
            head = f"{self.model} cannot be compiled for {self.target}: {count} obstacle{plural}"
        lines = [head, *(f"  - {o}" for o in self.obstacles)]
        lines += [f"  - {problem}" for problem in self.memory_problems]
        if self.memory_problems:
            lines.append(f"  boards with room for it: {', '.join(self.boards) or 'none'}")
        if self.need is not None:
            lines.append(
                f"  estimated: arena {self.need.arena_bytes:,} bytes, weights "
                f"{self.need.weight_bytes:,} bytes, tables {self.need.table_bytes:,} bytes"
            )
        return "\n".join(lines)


def check_model(options: CompileOptions, progress: Progress = SILENT) -> CheckVerdict:
    """Raises `UsageError` and `ModelError` for what is no model at all.

    Weights that exceed the target's flash end the check at once: the arena is then that of the
    layers as they stand in the model, before any kernel is chosen.
    """
    target = load_target(options.target)
    options = replace(options, backend=choose_backend(target, options.backend))
    name = Path(options.model).name
    try:
        source = read_source(options, progress)
        options = with_defaults(source, options)
        need = need_of(source.canonical)
        problems = weight_problems(need.weight_bytes, target)
        if not problems:
            graph = quantize(source, _noise(source), _quickly(options), progress).whole
            plan = plan_kernels(graph, target, replace(options, autotune=False), progress)
            need = need_of(graph, plan.schedule.arena_bytes)
            problems = room_problems(need.arena_bytes, need.constant_bytes, target)
    except UnsupportedError as error:
        return CheckVerdict(name, target.name, error.obstacles)
    boards = boards_with_room(need) if problems else ()
    return CheckVerdict(name, target.name, (), tuple(problems), need, boards)


def _noise(source: Source) -> Dataset | None:
    """Inputs for ranges that nobody will use: kernels and memory hardly depend on them."""
    if not source.is_float or source.given_scales.is_complete:
        return None
    return random_dataset(source.canonical, input_specs(source.canonical), count=_NOISE_SAMPLES)


def _quickly(options: CompileOptions) -> CompileOptions:
    """Without the search for good ranges, and with no range that the noise would leave."""
    return replace(options, ranges=RangeMethod.MINMAX.value, input_ranges={})
