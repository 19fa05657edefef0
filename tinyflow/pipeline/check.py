"""`tinyflow check`: every obstacle between a model and a target, at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tinyflow.codegen.schedule import make_schedule
from tinyflow.errors import Obstacle, UnsupportedError
from tinyflow.ir import DType, Graph
from tinyflow.pipeline.limits import room_problems
from tinyflow.pipeline.source import read_source
from tinyflow.progress import SILENT, Progress
from tinyflow.project import CompileOptions
from tinyflow.targets import Target, load_target

_BIAS_BYTES = 4


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
        graph = read_source(options, progress).canonical
    except UnsupportedError as error:
        return CheckVerdict(name, target.name, error.obstacles, (), None, None)
    return _judge(name, graph, target)


def _judge(name: str, graph: Graph, target: Target) -> CheckVerdict:
    arena = make_schedule(as_int8(graph)).arena_bytes
    constants = constant_bytes(graph)
    problems = tuple(room_problems(arena, constants, target))
    return CheckVerdict(name, target.name, (), problems, arena, constants)


def as_int8(graph: Graph) -> Graph:
    """The graph with the sizes that its activations will have, and nothing else of int8."""
    tensors = {
        name: t if t.is_constant or t.dtype.is_integer else replace(t, dtype=DType.INT8)
        for name, t in graph.tensors.items()
    }
    return replace(graph, tensors=tensors)


def constant_bytes(graph: Graph) -> int:
    """Weights in one byte, vectors (biases) in four; what is integer already as it is."""
    return sum(
        t.nbytes
        if t.dtype.is_integer
        else t.elements * (_BIAS_BYTES if len(t.shape) == 1 else DType.INT8.itemsize)
        for t in graph.constants.values()
    )
