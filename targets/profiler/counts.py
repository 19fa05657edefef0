"""What the profiler counted, read from its result file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass

from tinyflow.errors import ToolError


@dataclass(frozen=True)
class Counts:
    """``cycles`` are those of the core with zero wait states. ``flash_loads`` are loads of data,
    one for each word or part of one; ``cache_misses`` are of the instruction cache."""

    instructions: int = 0
    cycles: int = 0
    taken_branches: int = 0
    flash_loads: int = 0
    cache_misses: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True)
class Unknown:
    """An instruction that the profiler does not know and counts as one cycle."""

    address: int
    encoding: int
    times: int


@dataclass(frozen=True)
class Inference:
    """One inference: counts by (root, function).

    They are what the function itself cost while the root function ran, or was the last root
    function that had run. Either is "" for code outside of any.
    """

    table: Mapping[tuple[str, str], Counts]
    unknown: tuple[Unknown, ...] = ()

    @property
    def total(self) -> Counts:
        return _sum(self.table.values())

    @property
    def by_root(self) -> dict[str, Counts]:
        """What each root function cost with all that it called."""
        return self._grouped(lambda root, function: root)

    @property
    def by_function(self) -> dict[str, Counts]:
        """What each function cost by itself."""
        return self._grouped(lambda root, function: function)

    def _grouped(self, name: Callable[[str, str], str]) -> dict[str, Counts]:
        groups: dict[str, list[Counts]] = {}
        for (root, function), counts in self.table.items():
            groups.setdefault(name(root, function), []).append(counts)
        return {key: _sum(parts) for key, parts in groups.items()}


def parse_result(text: str, functions: Sequence[str]) -> tuple[Inference, ...]:
    """The inferences of a result file; ``functions`` are the names of the setup, in its order.

    Raises `ToolError` where the file breaks off.
    """
    found: list[Inference] = []
    table: dict[tuple[str, str], Counts] = {}
    unknown: list[Unknown] = []
    names = {-1: "", **dict(enumerate(functions))}
    is_open = False
    for line in text.splitlines():
        kind, *words = line.split()
        numbers = [int(word, 0) for word in words]
        if kind == "inference":
            table, unknown, is_open = {}, [], True
        elif kind == "count":
            root, function, *values = numbers
            table[names[root], names[function]] = Counts(*values)
        elif kind == "unknown":
            unknown.append(Unknown(*numbers))
        elif kind == "done":
            found.append(Inference(table, tuple(unknown)))
            is_open = False
    if is_open or not found:
        raise ToolError(
            "the profiler saw no complete inference",
            "the firmware must call tinyflow_profile_begin() before and tinyflow_profile_end() "
            "after it",
        )
    return tuple(found)


def _sum(parts: Iterable[Counts]) -> Counts:
    total = Counts()
    for part in parts:
        total += part
    return total
