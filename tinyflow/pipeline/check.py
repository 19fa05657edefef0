"""`tinyflow check`: every obstacle between a model and a target, at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tinyflow.data import Dataset, random_dataset
from tinyflow.data.spec import input_specs
from tinyflow.errors import Obstacle, UnsupportedError
from tinyflow.pipeline.kernels import plan_kernels
from tinyflow.pipeline.limits import room_problems
from tinyflow.pipeline.quantizing import quantize
from tinyflow.pipeline.source import Source, read_source, with_defaults
from tinyflow.progress import SILENT, Progress
from tinyflow.project import CompileOptions
from tinyflow.quantize import RangeMethod
from tinyflow.targets import load_target

_NOISE_SAMPLES = 2


@dataclass(frozen=True)
class CheckVerdict:
    """What stands in the way. ``arena_bytes`` and ``constant_bytes`` are estimates, None where
    the model could not be read that far."""

    model: str
    target: str
    obstacles: tuple[Obstacle, ...]
    memory_problems: tuple[str, ...]
    arena_bytes: int | None
    constant_bytes: int | None

    @property
    def passed(self) -> bool:
        return not self.obstacles and not self.memory_problems

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "target": self.target,
            "passed": self.passed,
            "obstacles": [
                {"layer": o.layer, "reason": o.reason, "remedy": o.remedy} for o in self.obstacles
            ],
            "memory_problems": list(self.memory_problems),
            "arena_bytes": self.arena_bytes,
            "constant_bytes": self.constant_bytes,
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
        if self.arena_bytes is not None and self.constant_bytes is not None:
            lines.append(
                f"  estimated: arena {self.arena_bytes:,} bytes, weights and biases "
                f"{self.constant_bytes:,} bytes"
            )
        return "\n".join(lines)


def check_model(options: CompileOptions, progress: Progress = SILENT) -> CheckVerdict:
    """Raises `UsageError` and `ModelError` for what is no model at all."""
    target = load_target(options.target)
    name = Path(options.model).name
    try:
        source = read_source(options, progress)
        options = with_defaults(source, options)
        graph = quantize(source, _noise(source), _quickly(options), progress).whole
    except UnsupportedError as error:
        return CheckVerdict(name, target.name, error.obstacles, (), None, None)
    plan = plan_kernels(graph, target, replace(options, autotune=False), progress)
    arena = plan.schedule.arena_bytes
    constants = sum(tensor.nbytes for tensor in graph.constants.values())
    problems = tuple(room_problems(arena, constants, target))
    return CheckVerdict(name, target.name, (), problems, arena, constants)


def _noise(source: Source) -> Dataset | None:
    """Inputs for ranges that nobody will use: kernels and memory hardly depend on them."""
    if not source.is_float:
        return None
    return random_dataset(source.canonical, input_specs(source.canonical), count=_NOISE_SAMPLES)


def _quickly(options: CompileOptions) -> CompileOptions:
    """Without the search for good ranges, and with no range that the noise would leave."""
    return replace(options, ranges=RangeMethod.MINMAX.value, input_ranges={})
